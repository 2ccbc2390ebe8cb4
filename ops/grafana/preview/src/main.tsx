import '@fontsource/inter/latin-400.css';
import '@fontsource/inter/latin-500.css';
import { createTheme, standardTransformers, standardTransformersRegistry } from '@grafana/data';
import { initPluginTranslations } from '@grafana/i18n';
import { GlobalStyles, PortalContainer, ThemeContext } from '@grafana/ui';
import { createRoot } from 'react-dom/client';
import { readScene, type Dashboard } from './dashboard';
import { DashboardPage } from './DashboardPage';

const files = import.meta.glob<Dashboard>('../../dashboards/*.json', { eager: true, import: 'default' });

const query = new URLSearchParams(location.search);
const dashboard = files[`../../dashboards/${query.get('dashboard')}.json`];
const theme = createTheme({ colors: { mode: query.get('theme') === 'dark' ? 'dark' : 'light' } });
standardTransformersRegistry.setInit(() =>
  [...new Set(Object.values(standardTransformers))].map((transformation) => ({ id: transformation.id, name: transformation.name, transformation, editor: () => null, imageDark: '', imageLight: '' })),
);
await initPluginTranslations('preview');
await document.fonts.load('14px Inter');

createRoot(document.getElementById('root')!).render(
  <ThemeContext.Provider value={theme}>
    <GlobalStyles />
    <DashboardPage dashboard={dashboard} scene={readScene(dashboard, query)} />
    <PortalContainer />
  </ThemeContext.Provider>,
);

import { dateTimeFormat } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';
import { useEffect, useRef, useState, type CSSProperties } from 'react';
import type { Dashboard, Panel, Scene } from './dashboard';
import { PanelView, type PanelReport } from './PanelView';
import { queryAnnotation, type Region } from './prometheus';

declare global {
  interface Window {
    /** Set once every panel has been drawn: picture.mjs waits for it. */
    finished?: PanelReport[];
  }
}

// Grafana's grid: 24 columns, 30 pixels a row, 8 between panels.
const columns = 24;
const rowHeight = 30;
const margin = 8;
const padding = 16;

export function DashboardPage({ dashboard, scene }: { dashboard: Dashboard; scene: Scene }) {
  const theme = useTheme2();
  const regions = useRegions(dashboard, scene);
  const reports = useRef(new Map<number, PanelReport>());
  const column = (window.innerWidth - 2 * padding - margin * (columns - 1)) / columns;
  const place = ({ x, y, w, h }: Panel['gridPos']) => ({
    left: x * (column + margin),
    top: y * (rowHeight + margin),
    width: w * column + (w - 1) * margin,
    height: h * rowHeight + (h - 1) * margin,
  });
  const panels = dashboard.panels.filter((panel) => panel.type !== 'row');
  const bottom = Math.max(...dashboard.panels.map(({ gridPos }) => gridPos.y + gridPos.h));

  const report = (one: PanelReport) => {
    reports.current.set(one.id, one);
    if (reports.current.size === panels.length) {
      // Two frames: charts draw in the one after they are mounted.
      requestAnimationFrame(() => requestAnimationFrame(() => (window.finished = panels.map((panel) => reports.current.get(panel.id)!))));
    }
  };

  return (
    <div style={{ padding, background: theme.colors.background.canvas }}>
      <Header dashboard={dashboard} scene={scene} />
      <div style={{ position: 'relative', height: bottom * (rowHeight + margin) }}>
        {dashboard.panels.map((panel) => {
          const box = place(panel.gridPos);
          const style: CSSProperties = { position: 'absolute', ...box };
          return (
            <div key={panel.id} style={style}>
              {panel.type === 'row' ? (
                <h4 style={{ margin: 0, lineHeight: `${box.height}px` }}>{panel.title}</h4>
              ) : (
                regions && <PanelView panel={panel} scene={scene} regions={regions} width={box.width} height={box.height} onDrawn={report} />
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function Header({ dashboard, scene }: { dashboard: Dashboard; scene: Scene }) {
  const theme = useTheme2();
  const chosen = dashboard.templating.list
    .filter((variable) => variable.type === 'query')
    .map((variable) => `${variable.label}: ${scene.variables[variable.name] === variable.allValue ? 'All' : scene.variables[variable.name]}`);
  const [from, to] = [scene.range.from, scene.range.to].map((time) => dateTimeFormat(time, { timeZone: 'utc' }));
  return (
    <div style={{ display: 'flex', justifyContent: 'space-between', marginBottom: margin, color: theme.colors.text.secondary }}>
      <span>
        <strong style={{ color: theme.colors.text.primary, marginRight: padding }}>{dashboard.title}</strong>
        {chosen.join(' · ')}
      </span>
      <span>{`${from} to ${to} UTC`}</span>
    </div>
  );
}

function useRegions(dashboard: Dashboard, scene: Scene) {
  const [regions, setRegions] = useState<Region[]>();
  useEffect(() => {
    Promise.all(dashboard.annotations.list.map((annotation) => queryAnnotation(annotation, scene))).then((all) => setRegions(all.flat()));
  }, [dashboard, scene]);
  return regions;
}

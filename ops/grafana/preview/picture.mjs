// Draws one dashboard into a PNG file: builds the page, serves it, and lets headless Chromium draw it.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { build, preview } from 'vite';

const { values: options } = parseArgs({
  options: {
    prometheus: { type: 'string', default: 'http://127.0.0.1:9090' },
    dashboard: { type: 'string' }, // service or model
    output: { type: 'string' },
    from: { type: 'string' }, // as Grafana writes times, now-15m; by default the dashboard's own
    to: { type: 'string' },
    'scrape-interval': { type: 'string' },
    variable: { type: 'string', multiple: true, default: [] }, // NAME=VALUE
    theme: { type: 'string', default: 'light' },
    width: { type: 'string', default: '1600' },
    chromium: { type: 'string', default: '/usr/bin/chromium' },
  },
});
if (!options.dashboard || !options.output) {
  console.error('usage: npm run picture -- --dashboard service|model --output FILE [--prometheus URL] [--from now-15m] [--to now] [--scrape-interval 15s] [--variable NAME=VALUE] [--theme light|dark] [--width 1600] [--chromium PATH]');
  process.exit(64);
}

const root = import.meta.dirname;
const output = resolve(process.env.INIT_CWD ?? '.', options.output); // npm runs this in the package's folder.
const parameters = new URLSearchParams({ dashboard: options.dashboard, theme: options.theme });
for (const name of ['from', 'to', 'scrape-interval']) {
  if (options[name]) {
    parameters.set(name, options[name]);
  }
}
for (const variable of options.variable) {
  const [name, ...value] = variable.split('=');
  parameters.set(`var-${name}`, value.join('='));
}

await build({ root, logLevel: 'warn' });
const server = await preview({
  root,
  logLevel: 'warn',
  preview: { host: '127.0.0.1', port: 0, proxy: { '/prometheus': { target: options.prometheus, changeOrigin: true, rewrite: (path) => path.slice('/prometheus'.length) } } },
});
const browser = await chromium.launch({
  executablePath: options.chromium,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
try {
  const page = await browser.newPage({ viewport: { width: Number(options.width), height: 900 }, timezoneId: 'UTC' });
  page.on('pageerror', (error) => console.error(error.message));
  await page.goto(`http://127.0.0.1:${server.httpServer.address().port}/build/?${parameters}`);
  await page.waitForFunction(() => window.finished, undefined, { timeout: 60_000 });
  await page.waitForLoadState('networkidle'); // Icons.
  await page.screenshot({ path: output, fullPage: true });

  const panels = await page.evaluate(() => window.finished);
  const empty = panels.filter((panel) => panel.series === 0);
  for (const panel of panels) {
    console.log(`${panel.error ? `fault: ${panel.error}` : panel.series === 0 ? 'no number' : `${panel.series} series`}\t${panel.title}`);
  }
  console.log(`${panels.length} panels, ${panels.length - empty.length} with data, ${empty.length} empty`);
} finally {
  await browser.close();
  await server.close();
}

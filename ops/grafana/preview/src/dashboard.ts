import { dateMath, rangeUtil, type DataTransformerConfig, type FieldConfigSource, type TimeRange } from '@grafana/data';

/** The parts of a dashboard file that are drawn here. */
export interface Dashboard {
  title: string;
  time: { from: string; to: string };
  templating: { list: Variable[] };
  annotations: { list: AnnotationQuery[] };
  panels: Panel[];
}

export interface Variable {
  name: string;
  label: string;
  type: string;
  query: string | { query: string };
  allValue?: string;
}

export interface AnnotationQuery {
  name: string;
  expr: string;
  step: string;
  iconColor: string;
}

export interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: Target[];
  transformations?: DataTransformerConfig[];
  fieldConfig: FieldConfigSource;
  options: Record<string, any>;
}

export interface Target {
  refId: string;
  expr: string;
  legendFormat: string;
  instant?: boolean;
  format?: 'time_series' | 'table' | 'heatmap';
}

/** What holds for the whole picture: time, variables, and how often Prometheus scrapes. */
export interface Scene {
  range: TimeRange;
  variables: Record<string, string>;
  scrapeInterval: string;
}

/** Reads the query string of this page: dashboard, from, to, scrape-interval, var-NAME (as Grafana names them). */
export function readScene(dashboard: Dashboard, query: URLSearchParams): Scene {
  const raw = { from: query.get('from') ?? dashboard.time.from, to: query.get('to') ?? dashboard.time.to };
  const variables = Object.fromEntries(dashboard.templating.list.map((variable) => [variable.name, query.get(`var-${variable.name}`) ?? variable.allValue ?? '']));
  return {
    range: { from: dateMath.toDateTime(raw.from, {})!, to: dateMath.toDateTime(raw.to, { roundUp: true })!, raw },
    variables,
    scrapeInterval: query.get('scrape-interval') ?? '15s',
  };
}

/** The step of a panel so many pixels wide: what Grafana's Prometheus data source takes. */
export function stepOf(scene: Scene, width: number): number {
  return rangeUtil.calculateInterval(scene.range, width, scene.scrapeInterval).intervalMs / 1000;
}

/** Puts variables into an expression; a name that the dashboard does not know stays as it is. */
export function interpolate(text: string, scene: Scene, step: number): string {
  const scrape = rangeUtil.intervalToMs(scene.scrapeInterval) / 1000;
  const known: Record<string, string> = {
    ...scene.variables,
    __interval: `${step}s`,
    __rate_interval: `${Math.max(step + scrape, 4 * scrape)}s`,
    __range: `${Math.round((scene.range.to.valueOf() - scene.range.from.valueOf()) / 1000)}s`,
  };
  return text.replace(/\$\{?(\w+)\}?/g, (whole, name) => known[name] ?? whole);
}

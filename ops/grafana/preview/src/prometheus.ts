import { FieldType, createDataFrame, renderLegendFormat, type DataFrame, type Labels } from '@grafana/data';
import { interpolate, stepOf, type AnnotationQuery, type Scene, type Target } from './dashboard';

type Sample = [seconds: number, value: string];
type Series = { metric: Labels; values?: Sample[]; value?: Sample };

/** A time during which an annotation's expression had a value, in milliseconds. */
export interface Region {
  name: string;
  color: string;
  from: number;
  to: number;
}

/** Answers a target as frames, in the format that it asks for. */
export async function queryTarget(target: Target, scene: Scene, width: number): Promise<DataFrame[]> {
  const step = target.instant ? 0 : stepOf(scene, width);
  const expr = interpolate(target.expr, scene, stepOf(scene, width));
  const series = target.instant
    ? await ask('query', { query: expr, time: seconds(scene.range.to.valueOf()) })
    : await ask('query_range', { query: expr, ...alignedRange(scene, step), step: `${step}` });
  switch (target.format) {
    case 'table':
      return [toTable(target, series)];
    case 'heatmap':
      return toHeatmapRows(target, series, step);
    default:
      return series.map((one) => toFrame(target, one, legend(target, expr, one.metric), samples(one), step));
  }
}

/** Answers an annotation query: samples no further apart than its step belong together. */
export async function queryAnnotation(annotation: AnnotationQuery, scene: Scene): Promise<Region[]> {
  const step = parseInt(annotation.step, 10);
  const series = await ask('query_range', { query: interpolate(annotation.expr, scene, step), ...alignedRange(scene, step), step: `${step}` });
  const regions: Region[] = [];
  for (const one of series) {
    let last: Region | undefined;
    for (const [time] of samples(one)) {
      if (last && time * 1000 - last.to <= step * 1000) {
        last.to = time * 1000;
      } else {
        regions.push((last = { name: annotation.name, color: annotation.iconColor, from: time * 1000, to: time * 1000 }));
      }
    }
  }
  return regions;
}

async function ask(path: string, parameters: Record<string, string>): Promise<Series[]> {
  const response = await fetch(`/prometheus/api/v1/${path}`, { method: 'POST', body: new URLSearchParams(parameters) });
  const answer = await response.json();
  if (answer.status !== 'success') {
    throw new Error(answer.error);
  }
  return answer.data.resultType === 'scalar' ? [{ metric: {}, value: answer.data.result }] : answer.data.result;
}

function alignedRange(scene: Scene, step: number) {
  const align = (ms: number) => seconds(Math.floor(ms / 1000 / step) * step * 1000);
  return { start: align(scene.range.from.valueOf()), end: align(scene.range.to.valueOf()) };
}

const seconds = (ms: number) => `${ms / 1000}`;

const samples = (series: Series): Sample[] => series.values ?? (series.value ? [series.value] : []);

/** As Grafana's Prometheus data source names a series: by its legend, else by its labels, else by the expression. */
function legend(target: Target, expr: string, labels: Labels): string {
  if (target.legendFormat) {
    return renderLegendFormat(target.legendFormat, labels);
  }
  const { __name__: name = '', ...others } = labels;
  const pairs = Object.entries(others).map(([label, value]) => `${label}="${value}"`);
  return name + (pairs.length > 0 ? `{${pairs.join(', ')}}` : '') || expr;
}

function toFrame(target: Target, series: Series, name: string, values: Sample[], step: number): DataFrame {
  return createDataFrame({
    refId: target.refId,
    fields: [
      // With the interval a gap is drawn where samples are missing.
      { name: 'Time', type: FieldType.time, values: values.map(([time]) => time * 1000), config: step > 0 ? { interval: step * 1000 } : {} },
      { name: 'Value', type: FieldType.number, values: values.map(([, value]) => toNumber(value)), labels: series.metric, config: { displayNameFromDS: name } },
    ],
  });
}

function toTable(target: Target, series: Series[]): DataFrame {
  const labels = [...new Set(series.flatMap((one) => Object.keys(one.metric)))].sort();
  const rows = series.flatMap((one) => samples(one).map((sample) => ({ labels: one.metric, sample })));
  return createDataFrame({
    refId: target.refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: rows.map((row) => row.sample[0] * 1000) },
      ...labels.map((label) => ({ name: label, type: FieldType.string, values: rows.map((row) => row.labels[label] ?? '') })),
      { name: 'Value', type: FieldType.number, values: rows.map((row) => toNumber(row.sample[1])) },
    ],
  });
}

/** Cumulative buckets become buckets: one frame each, in the order of `le`. */
function toHeatmapRows(target: Target, series: Series[], step: number): DataFrame[] {
  const ordered = series.filter((one) => one.metric.le !== undefined).sort((a, b) => toNumber(a.metric.le) - toNumber(b.metric.le));
  return ordered.map((one, i) => {
    const below = new Map(i > 0 ? samples(ordered[i - 1]) : []);
    const own = samples(one).map(([time, value]): Sample => [time, `${Math.max(0, toNumber(value) - toNumber(below.get(time) ?? '0'))}`]);
    return toFrame(target, one, one.metric.le, own, step);
  });
}

function toNumber(text: string): number {
  return text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text);
}

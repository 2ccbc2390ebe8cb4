import { FieldConfigOptionsRegistry, FieldColorModeId, ThresholdsMode, applyFieldOverrides, type DataFrame, type FieldConfigPropertyItem, type FieldConfigSource, type GrafanaTheme2 } from '@grafana/data';
import { merge } from 'lodash';

const standard = ['displayName', 'unit', 'min', 'max', 'decimals', 'noValue', 'color', 'thresholds', 'mappings', 'links'];
const custom = [
  'drawStyle', 'lineInterpolation', 'lineWidth', 'lineStyle', 'fillOpacity', 'gradientMode', 'showPoints', 'pointSize', 'spanNulls', 'stacking', 'thresholdsStyle',
  'axisPlacement', 'axisLabel', 'axisColorMode', 'axisBorderShow', 'axisSoftMin', 'axisSoftMax', 'scaleDistribution', 'hideFrom', 'align', 'width', 'cellOptions',
];

const registry = new FieldConfigOptionsRegistry(() => [...standard.map((path) => property(path, false)), ...custom.map((path) => property(path, true))]);

/** What a Grafana server adds to a panel that does not say it. A stat without thresholds turns red at 80. */
const defaults: Record<string, FieldConfigSource['defaults']> = {
  every: { mappings: [], thresholds: { mode: ThresholdsMode.Absolute, steps: [{ value: -Infinity, color: 'green' }, { value: 80, color: 'red' }] } },
  stat: { color: { mode: FieldColorModeId.Thresholds } },
  table: { color: { mode: FieldColorModeId.Thresholds }, custom: { align: 'auto', cellOptions: { type: 'auto' } } },
  timeseries: {
    color: { mode: FieldColorModeId.PaletteClassic },
    custom: { drawStyle: 'line', lineInterpolation: 'linear', gradientMode: 'none', pointSize: 5, axisPlacement: 'auto', axisColorMode: 'text', scaleDistribution: { type: 'linear' } },
  },
};

/** The panel's field configuration with a server's defaults beneath it. */
export function withDefaults(type: string, own: FieldConfigSource): FieldConfigSource {
  const result = merge({}, defaults.every, defaults[type], own.defaults);
  if (own.defaults.thresholds) {
    result.thresholds = { ...own.defaults.thresholds, steps: own.defaults.thresholds.steps.map((step, i) => (i === 0 ? { ...step, value: -Infinity } : step)) };
  }
  return { defaults: result, overrides: own.overrides };
}

/** Gives every field its unit, thresholds, colour and name. */
export function configure(frames: DataFrame[], fieldConfig: FieldConfigSource, theme: GrafanaTheme2): DataFrame[] {
  return applyFieldOverrides({ data: frames, fieldConfig, theme, timeZone: 'utc', replaceVariables: (text) => text, fieldConfigRegistry: registry });
}

function property(path: string, isCustom: boolean): FieldConfigPropertyItem {
  return {
    id: isCustom ? `custom.${path}` : path,
    path,
    name: path,
    isCustom,
    editor: () => null,
    override: () => null,
    process: (value) => value,
    shouldApply: () => true,
    settings: {},
  } as FieldConfigPropertyItem;
}

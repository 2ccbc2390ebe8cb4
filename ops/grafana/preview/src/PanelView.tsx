import {
  VizOrientation, getDisplayValueAlignmentFactors, getFieldDisplayValues, transformDataFrame,
  type DataFrame, type DisplayValueAlignmentFactors, type FieldDisplay, type GrafanaTheme2,
} from '@grafana/data';
import { BigValue, BigValueTextMode, PanelChrome, Table, TimeSeries, VizRepeater, useTheme2, type UPlotConfigBuilder, type VizRepeaterRenderValueProps } from '@grafana/ui';
import { useEffect, useState } from 'react';
import { lastValueFrom } from 'rxjs';
import type { Panel, Scene } from './dashboard';
import { configure, withDefaults } from './fieldConfig';
import { Heatmap } from './Heatmap';
import { queryTarget, type Region } from './prometheus';

export interface PanelReport {
  id: number;
  title: string;
  /** Series that have a number. */
  series: number;
  error?: string;
}

interface Props {
  panel: Panel;
  scene: Scene;
  regions: Region[];
  width: number;
  height: number;
  onDrawn: (report: PanelReport) => void;
}

/** One panel: asks Prometheus, and draws the answer with Grafana's component for its type. */
export function PanelView({ panel, scene, regions, width, height, onDrawn }: Props) {
  const theme = useTheme2();
  const [frames, setFrames] = useState<DataFrame[]>();
  const [error, setError] = useState<string>();

  useEffect(() => {
    query(panel, scene, width).then(setFrames, (reason) => setError(`${reason.message ?? reason}`));
  }, [panel, scene, width]);

  useEffect(() => {
    if (frames || error) {
      onDrawn({ id: panel.id, title: panel.title, series: (frames ?? []).filter(hasNumber).length, error });
    }
  }, [frames, error]);

  return (
    <PanelChrome width={width} height={height} title={panel.title} description={panel.description} statusMessage={error}>
      {(innerWidth, innerHeight) =>
        frames && (
          frames.some((frame) => frame.length > 0)
            ? <Content panel={panel} scene={scene} regions={regions} theme={theme} frames={frames} width={innerWidth} height={innerHeight} />
            : <div style={{ height: innerHeight, display: 'grid', placeItems: 'center', color: theme.colors.text.secondary }}>No data</div>
        )
      }
    </PanelChrome>
  );
}

async function query(panel: Panel, scene: Scene, width: number): Promise<DataFrame[]> {
  const frames = (await Promise.all((panel.targets ?? []).map((target) => queryTarget(target, scene, width)))).flat();
  return panel.transformations ? lastValueFrom(transformDataFrame(panel.transformations, frames)) : frames;
}

interface ContentProps {
  panel: Panel;
  scene: Scene;
  regions: Region[];
  theme: GrafanaTheme2;
  frames: DataFrame[];
  width: number;
  height: number;
}

function Content({ panel, scene, regions, theme, frames, width, height }: ContentProps) {
  const fieldConfig = withDefaults(panel.type, panel.fieldConfig);
  const configured = configure(frames, fieldConfig, theme);
  switch (panel.type) {
    case 'timeseries':
      return (
        <TimeSeries frames={configured.map(finite)} width={width} height={height} timeRange={scene.range} timeZone="utc" legend={{ calcs: [], ...panel.options.legend }} options={panel.options}>
          {(config) => drawRegions(config, regions, theme)}
        </TimeSeries>
      );
    case 'stat': {
      const values = () => getFieldDisplayValues({ fieldConfig, reduceOptions: panel.options.reduceOptions, replaceVariables: (text) => text, theme, data: configured, timeZone: 'utc' });
      const draw = ({ value, alignmentFactors, width, height, count }: VizRepeaterRenderValueProps<FieldDisplay, DisplayValueAlignmentFactors>) => (
        <BigValue
          value={value.display} count={count} alignmentFactors={alignmentFactors} width={width} height={height} theme={theme} disableWideLayout={panel.options.wideLayout === false}
          colorMode={panel.options.colorMode} graphMode={panel.options.graphMode} textMode={panel.options.textMode ?? BigValueTextMode.Auto} justifyMode={panel.options.justifyMode} text={panel.options.text}
        />
      );
      return (
        <VizRepeater<FieldDisplay, DisplayValueAlignmentFactors>
          getValues={values} getAlignmentFactors={getDisplayValueAlignmentFactors} renderValue={draw} source={configured} width={width} height={height} itemSpacing={3} renderCounter={0} autoGrid
          orientation={panel.options.orientation ?? VizOrientation.Auto}
        />
      );
    }
    case 'table':
      return <Table data={configured[0]} width={width} height={height} />;
    case 'heatmap':
      return <Heatmap frames={frames} unit={fieldConfig.defaults.unit ?? 'short'} options={panel.options} range={scene.range} width={width} height={height} />;
    default:
      throw new Error(`${panel.title}: panels of type ${panel.type} are not drawn here`);
  }
}

/** Annotations, as Grafana marks them: a tinted time between dashed lines. */
function drawRegions(config: UPlotConfigBuilder, regions: Region[], theme: GrafanaTheme2) {
  config.addHook('draw', (plot) => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const region of regions) {
      const color = theme.visualization.getColorByName(region.color);
      const [from, to] = [region.from, region.to].map((time) => plot.valToPos(time, 'x', true));
      ctx.fillStyle = `${color}1a`;
      ctx.fillRect(from, bbox.top, to - from, bbox.height);
      ctx.strokeStyle = color;
      ctx.setLineDash([5, 5]);
      for (const x of [from, to]) {
        ctx.beginPath();
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
        ctx.stroke();
      }
    }
    ctx.restore();
  });
  return null;
}

/** As Grafana's time series panel: what is no finite number is a gap. */
function finite(frame: DataFrame): DataFrame {
  return { ...frame, fields: frame.fields.map((field) => (field.type === 'number' ? { ...field, values: field.values.map((value) => (Number.isFinite(value) ? value : null)) } : field)) };
}

const hasNumber = (frame: DataFrame) => frame.fields.some((field) => field.type === 'number' && field.values.some((value) => Number.isFinite(value)));

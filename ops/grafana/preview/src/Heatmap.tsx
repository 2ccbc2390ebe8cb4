import { formattedValueToString, getValueFormat, type DataFrame, type TimeRange } from '@grafana/data';
import { AxisPlacement, GraphDrawStyle, ScaleDirection, ScaleOrientation } from '@grafana/schema';
import { UPlotChart, UPlotConfigBuilder, useTheme2 } from '@grafana/ui';
import { interpolateSpectral } from 'd3-scale-chromatic';
import { useMemo } from 'react';
import type uPlot from 'uplot';

interface Props {
  frames: DataFrame[];
  /** Of the cells. */
  unit: string;
  options: Record<string, any>;
  range: TimeRange;
  width: number;
  height: number;
}

const legendHeight = 30;
const labelHeight = 20;

/**
 * Grafana's heatmap is no part of @grafana/ui. This draws what the dashboards use of it: one row a bucket, its bounds as labels, the scheme Spectral
 * (blue is little, red is much), empty cells left out, the scale of colours beneath.
 */
export function Heatmap({ frames, unit, options, range, width, height }: Props) {
  const theme = useTheme2();
  const counts = frames.map((frame) => frame.fields[1].values as number[]);
  const most: number = options.color.max ?? Math.max(...counts.flat().filter(Number.isFinite));
  const color = (count: number) => {
    const steps = options.color.steps - 1;
    return interpolateSpectral(1 - Math.round(Math.min(1, count / most) * steps) / steps);
  };

  const config = useMemo(() => {
    const format = getValueFormat(options.yAxis.unit ?? 'short');
    const bounds = ['0', ...frames.map((frame) => frame.fields[1].labels!.le)];
    const labels = bounds.map((bound) => (bound === '+Inf' ? bound : formattedValueToString(format(Number(bound), options.yAxis.decimals))));
    const builder = new UPlotConfigBuilder('utc');
    builder.addScale({ scaleKey: 'x', isTime: true, orientation: ScaleOrientation.Horizontal, direction: ScaleDirection.Right, range: () => [range.from.valueOf(), range.to.valueOf()] });
    builder.addScale({ scaleKey: 'y', isTime: false, orientation: ScaleOrientation.Vertical, direction: ScaleDirection.Up, range: () => [0, frames.length] });
    builder.addAxis({ scaleKey: 'x', isTime: true, placement: AxisPlacement.Bottom, timeZone: 'utc', theme });
    builder.addAxis({
      scaleKey: 'y', placement: AxisPlacement.Left, theme, grid: { show: false },
      splits: (plot: uPlot) => {
        let shown = bounds.map((_, i) => i);
        while (shown.length > 3 && shown.length * labelHeight > plot.height) {
          shown = shown.filter((_, i) => i % 2 === 0);
        }
        return shown;
      },
      values: (_: uPlot, splits: number[]) => splits.map((i) => labels[i]),
    });
    frames.forEach(() => builder.addSeries({ scaleKey: 'y', theme, drawStyle: GraphDrawStyle.Line, pathBuilder: () => null, show: true }));
    builder.addHook('draw', (plot) => {
      frames.forEach((frame, row) => {
        const times = frame.fields[0].values;
        const step = frame.fields[0].config.interval!;
        const gap = (options.cellGap ?? 1) * devicePixelRatio;
        times.forEach((time, i) => {
          if (counts[row][i] > 0) {
            const [left, right] = [time - step, time].map((x) => Math.max(plot.bbox.left, plot.valToPos(x, 'x', true)));
            const [bottom, top] = [row, row + 1].map((y) => plot.valToPos(y, 'y', true));
            plot.ctx.fillStyle = color(counts[row][i]);
            plot.ctx.fillRect(left + gap / 2, top + gap / 2, Math.max(0, right - left - gap), bottom - top - gap);
          }
        });
      });
    });
    return builder;
  }, [frames]);

  // Every row has the same times here: the buckets of one histogram.
  const data = useMemo(() => [frames[0].fields[0].values, ...counts] as uPlot.AlignedData, [frames]);
  const scale = Array.from({ length: 11 }, (_, i) => color((most * i) / 10)).join(', ');
  return (
    <>
      <UPlotChart config={config} data={data} width={width} height={height - legendHeight} />
      <div style={{ height: legendHeight, display: 'flex', alignItems: 'center', gap: 8, paddingLeft: 8, fontSize: 12 }}>
        0
        <div style={{ width: 200, height: 8, background: `linear-gradient(to right, ${scale})` }} />
        {formattedValueToString(getValueFormat(unit)(most))}
      </div>
    </>
  );
}

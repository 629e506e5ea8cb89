/** A line chart as inline SVG: axes with round ticks, legend, labels at the lines' ends. */
import { horizontalAxis, logarithmicAxis, verticalAxis } from './axis.ts';
import { drawAxes, type Frame } from './chart-axes.ts';
import { drawLegend, LEGEND_ROW, legendLayout } from './chart-legend.ts';
import { escapeMarkup } from './escape-markup.ts';
import { spread } from './label-column.ts';
import { pathData, segments, thinned, type PixelPoint } from './line-path.ts';
import { seriesColour, seriesDash } from './palette.ts';
import type { Curve } from './report-input.ts';
import { FONT, textElement } from './svg-element.ts';
import { fitText, textWidth } from './text-width.ts';

const LABEL_GAP = 13;

interface Line {
  readonly name: string;
  /** In pixels; undefined is a gap. */
  readonly points: readonly (PixelPoint | undefined)[];
  readonly style: string;
}

const styleOf = (i: number): string => {
  const dash = seriesDash(i);
  return `stroke:${seriesColour(i)}${dash === '' ? '' : `;stroke-dasharray:${dash}`}`;
};

/** The line itself; a point without neighbours becomes a dot. */
function drawLine(line: Line): string {
  const runs = segments(line.points);
  const marks = runs.map((run) =>
    run.length === 1
      ? `<circle cx="${(run[0]?.[0] ?? 0).toFixed(1)}" cy="${(run[0]?.[1] ?? 0).toFixed(1)}" r="3" class="dot" style="${line.style.replace(/^stroke:([^;]*).*$/, 'fill:$1')}"/>`
      : `<path d="${pathData(thinned(run))}" class="line" style="${line.style}"/>`,
  );
  return `<g><title>${escapeMarkup(line.name)}</title>${marks.join('')}</g>`;
}

/** Names at the lines' right ends, joined to them; left out when there are too many for the height. */
function drawEndLabels(lines: readonly Line[], frame: Frame, width: number): string {
  const ends = lines.flatMap((line) => {
    const last = line.points.findLast((point) => point !== undefined);
    return last === undefined ? [] : [{ line, last }];
  });
  const places = spread(
    ends.map(({ last }) => last[1]),
    LABEL_GAP,
    frame.top,
    frame.bottom,
  );
  if (places === undefined) return '';
  return ends
    .map(({ line, last }, i) => {
      const y = places[i] ?? last[1];
      const leader = pathData([last, [frame.right + 4, last[1]], [frame.right + 14, y]]);
      return (
        `<path d="${leader}" class="leader" style="${line.style.replace(/;.*$/, '')}"/>` +
        textElement(frame.right + 17, y + 4, fitText(line.name, FONT, width - 18))
      );
    })
    .join('');
}

/**
 * Draws `curve` as one `<svg>` element for inline use in HTML, `width` x `height` units, scaling with its container.
 *
 * Values that are not finite leave gaps, as do values <= 0 on a logarithmic axis; a chart without any value says so.
 * Colours follow `--series-N` and `currentColor`. The legend shows each line's last value. All text is escaped.
 */
export function renderLineChart(curve: Curve, width = 540, height = 310): string {
  const usable = curve.series.map(({ points }) =>
    points.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y) && !(curve.logY === true && y <= 0)),
  );
  const all = usable.flat();
  const xAxis = horizontalAxis(all.map(([x]) => x));
  const yAxis = (curve.logY === true ? logarithmicAxis : verticalAxis)(all.map(([, y]) => y));
  const open = `<svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeMarkup(curve.title)}" font-size="${FONT}" fill="currentColor">`;
  if (xAxis === undefined || yAxis === undefined) {
    const nothing = textElement(
      width / 2,
      height / 2,
      'no values to draw',
      'text-anchor="middle" class="muted"',
    );
    return `${open}${nothing}</svg>`;
  }
  const lastValues = usable.map((points) => points.at(-1)?.[1]);
  const legend = legendLayout(
    curve.series.map(({ name }, i) => ({ name, style: styleOf(i), lastValue: lastValues[i] })),
    width,
  );
  const tickWidth = Math.max(...yAxis.ticks.map(({ text: label }) => textWidth(label, FONT)));
  const nameWidth = Math.max(...curve.series.map(({ name }) => textWidth(name, FONT))) + 20;
  const frame = {
    left: tickWidth + 10,
    right: width - Math.min(nameWidth, width * 0.3) - 4,
    top: ((legend.at(-1)?.row ?? 0) + 1) * LEGEND_ROW + 14,
    bottom: height - 42,
  };
  const lines = curve.series.map(({ name, points }, i): Line => {
    const placed = points.map(([x, y]): PixelPoint | undefined => {
      const [px, py] = [xAxis.place(x), yAxis.place(y)];
      if (px === undefined || py === undefined) return undefined;
      return [frame.left + px * (frame.right - frame.left), frame.bottom - py * (frame.bottom - frame.top)];
    });
    return { name, points: placed, style: styleOf(i) };
  });
  return [
    open,
    drawLegend(legend),
    drawAxes(xAxis, yAxis, frame, curve.xLabel),
    ...lines.map(drawLine),
    drawEndLabels(lines, frame, width - frame.right - 4),
    '</svg>',
  ].join('');
}

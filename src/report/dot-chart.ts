/** A dot chart as inline SVG: a row each, its values as dots, their mean as a bar; one value as a line through all. */
import { horizontalAxis } from './axis.ts';
import { escapeMarkup } from './escape-markup.ts';
import { seriesColour } from './palette.ts';
import { FONT, ruleElement, textElement } from './svg-element.ts';
import { fitText, textWidth } from './text-width.ts';

export interface DotRow {
  readonly name: string;
  readonly values: readonly number[];
}

export interface DotChart {
  readonly title: string;
  readonly xLabel: string;
  readonly rows: readonly DotRow[];
  /** Where a line is drawn through all rows, and what it is. */
  readonly reference?: { readonly name: string; readonly at: number } | undefined;
}

const ROW = 24;
const BOTTOM = 40;
const TOP = 22;
const MARGIN = 16;

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Draws a chart as one `<svg>` element, `width` units wide, rows from above. Values that are not finite are left out;
 * a row without any says so. Dots have their value as a tooltip. All text is escaped.
 */
export function renderDotChart(chart: DotChart, width = 720): string {
  const rows = chart.rows.map(({ name, values }) => ({ name, values: values.filter(Number.isFinite) }));
  const { reference } = chart;
  const all = [...rows.flatMap(({ values }) => values), ...(reference === undefined ? [] : [reference.at])];
  const axis = horizontalAxis(all);
  const left = Math.min(200, Math.max(60, ...rows.map(({ name }) => textWidth(name, FONT) + 16)));
  const [right, bottom] = [width - MARGIN, TOP + ROW * rows.length];
  const height = bottom + BOTTOM;
  const open = `<svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeMarkup(chart.title)}" font-size="${FONT}" fill="currentColor">`;
  const across = (value: number): number =>
    left + MARGIN + (axis?.place(value) ?? 0) * (right - left - 2 * MARGIN);
  const lines = rows.map(({ name, values }, i) => {
    const y = TOP + (i + 0.5) * ROW;
    const label = textElement(left - 8, y + 4, fitText(name, FONT, left - 12), 'text-anchor="end"');
    const rule = ruleElement(left, y, right, y, 'class="grid"');
    if (values.length === 0) {
      return `${label}${rule}${textElement(left + MARGIN, y + 4, 'not measured', 'class="muted"')}`;
    }
    const x = across(meanOf(values));
    const mean = ruleElement(x, y - 8, x, y + 8, `style="stroke:${seriesColour(0)};stroke-width:3"`);
    const dots = values.map(
      (value) =>
        `<circle cx="${across(value).toFixed(1)}" cy="${y.toFixed(1)}" r="3.5" ` +
        `style="fill:${seriesColour(0)};fill-opacity:.55"><title>${escapeMarkup(`${name}: ${value.toFixed(3)}`)}</title></circle>`,
    );
    return `<g>${label}${rule}${mean}${dots.join('')}</g>`;
  });
  const ticks = (axis?.ticks ?? []).map(({ at, text }) => {
    const x = left + MARGIN + at * (right - left - 2 * MARGIN);
    return (
      ruleElement(x, bottom, x, bottom + 4, 'class="axis"') +
      textElement(x, bottom + 17, text, 'text-anchor="middle" class="muted"')
    );
  });
  const through =
    reference === undefined
      ? ''
      : ruleElement(
          across(reference.at),
          TOP - 4,
          across(reference.at),
          bottom,
          `style="stroke:${seriesColour(1)};stroke-dasharray:4 3"`,
        ) + textElement(across(reference.at), TOP - 8, reference.name, 'text-anchor="middle" class="muted"');
  return [
    ...[open, through, ...lines, ruleElement(left, bottom, right, bottom, 'class="axis"'), ...ticks],
    textElement((left + right) / 2, bottom + 34, chart.xLabel, 'text-anchor="middle" class="muted"'),
    '</svg>',
  ].join('');
}

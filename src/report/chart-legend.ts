/** The legend above a chart: each line's stroke, name and last value. */
import { escapeMarkup } from './escape-markup.ts';
import { shortNumber } from './short-number.ts';
import { FONT, ruleElement } from './svg-element.ts';
import { fitText, textWidth } from './text-width.ts';

/** Height of one row of a legend, in the drawing's units. */
export const LEGEND_ROW = 18;
const SWATCH = 22;

/** What a legend says of one line. */
export interface LegendEntry {
  readonly name: string;
  /** CSS of its stroke. */
  readonly style: string;
  /** Its last value; undefined when it has none. */
  readonly lastValue: number | undefined;
}

/** An entry with its place. */
export interface PlacedEntry extends LegendEntry {
  readonly x: number;
  readonly row: number;
  readonly shown: string;
  readonly value: string;
}

/** Places legend entries from left to right in rows no wider than `width`. */
export function legendLayout(entries: readonly LegendEntry[], width: number): PlacedEntry[] {
  let [x, row] = [0, 0];
  return entries.map((entry) => {
    const value = entry.lastValue === undefined ? '–' : shortNumber(entry.lastValue);
    const valueWidth = textWidth(value, FONT);
    const shown = fitText(entry.name, FONT, width - SWATCH - valueWidth - 29);
    const entryWidth = SWATCH + 6 + textWidth(shown, FONT) + 7 + valueWidth + 14;
    if (x > 0 && x + entryWidth > width) [x, row] = [0, row + 1];
    const placed = { ...entry, x, row, shown, value };
    x += entryWidth;
    return placed;
  });
}

/** The legend's elements, its upper left corner at the drawing's. */
export function drawLegend(entries: readonly PlacedEntry[]): string {
  return entries
    .map(({ name, style, x, row, shown, value }) => {
      const y = row * LEGEND_ROW + 10;
      const at = x + 2;
      return [
        `<g><title>${escapeMarkup(name)}</title>`,
        ruleElement(at, y, at + SWATCH, y, `class="line" style="${style}"`),
        // The value follows the name as the browser sets it, not as its width was estimated.
        `<text x="${at + SWATCH + 6}" y="${y + 4}">${escapeMarkup(shown)}`,
        `<tspan dx="7" class="muted">${escapeMarkup(value)}</tspan></text>`,
        '</g>',
      ].join('');
    })
    .join('');
}

/** A confusion matrix as inline SVG: each column shared out over its predictions, the shares written in. */
import { escapeMarkup } from './escape-markup.ts';
import { seriesColour } from './palette.ts';
import { FONT, textElement } from './svg-element.ts';
import { fitText, textWidth } from './text-width.ts';

export interface MatrixChart {
  readonly title: string;
  /** Counts, [predicted][true], square; the last row and column are the background. */
  readonly counts: readonly (readonly number[])[];
  /** Names of the classes; the background's is added. */
  readonly names: readonly string[];
}

/** Classes that a picture has room for; of more, the first are drawn. */
const MOST = 30;
const SIDE = 420;

/** Share of each cell in its column, 0…1; 0 in an empty column. */
export const columnShares = (counts: readonly (readonly number[])[]): number[][] =>
  counts.map((row) =>
    row.map((count, c) => {
      const sum = counts.reduce((all, other) => all + (other[c] ?? 0), 0);
      return sum === 0 ? 0 : count / sum;
    }),
  );

/**
 * Draws a matrix as one `<svg>` element, predictions downwards, truth across. A cell's tooltip has its count; shares
 * below 0.005 are not written. All text is escaped.
 */
export function renderMatrix({ title, counts, names }: MatrixChart): string {
  const last = counts.length - 1;
  const shown = [...names.keys()].slice(0, MOST).filter((c) => c < last);
  const indices = [...shown, last];
  const labels = [...shown.map((c) => names[c] ?? String(c)), 'background'];
  const shares = columnShares(counts);
  const left = Math.min(Math.max(...labels.map((label) => textWidth(label, FONT))) + 26, 160);
  const cell = SIDE / indices.length;
  const [width, height] = [left + SIDE + 4, SIDE + left + 8];
  const cells = indices.flatMap((row, r) =>
    indices.map((column, c) => {
      const share = shares[row]?.[column] ?? 0;
      const [x, y] = [left + c * cell, 4 + r * cell];
      const tip = `${labels[r] ?? ''} for ${labels[c] ?? ''}: ${counts[row]?.[column] ?? 0}`;
      const text =
        share < 0.005 || cell < 26
          ? ''
          : textElement(x + cell / 2, y + cell / 2 + 4, share.toFixed(2), 'text-anchor="middle"');
      return (
        `<g><title>${escapeMarkup(tip)}</title><rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" ` +
        `width="${cell.toFixed(1)}" height="${cell.toFixed(1)}" class="grid" ` +
        `style="fill:${seriesColour(0)};fill-opacity:${(0.75 * share).toFixed(3)}"/>${text}</g>`
      );
    }),
  );
  const across = labels.map((label, c) => {
    const [x, y] = [left + (c + 0.5) * cell + 4, SIDE + 14];
    const turn = `transform="rotate(-90 ${x.toFixed(1)} ${y.toFixed(1)})" text-anchor="end"`;
    return textElement(x, y, fitText(label, FONT, left - 26), turn);
  });
  const down = labels.map((label, r) =>
    textElement(left - 6, 4 + (r + 0.5) * cell + 4, fitText(label, FONT, left - 26), 'text-anchor="end"'),
  );
  const axes = [
    textElement(left + SIDE / 2, height - 4, 'true class', 'text-anchor="middle" class="muted"'),
    textElement(
      12,
      SIDE / 2,
      'predicted',
      `transform="rotate(-90 12 ${SIDE / 2})" class="muted" text-anchor="middle"`,
    ),
  ];
  const open = `<svg class="chart" viewBox="0 0 ${width.toFixed(0)} ${height.toFixed(0)}" role="img" aria-label="${escapeMarkup(title)}" font-size="${FONT}" fill="currentColor">`;
  return [open, ...cells, ...across, ...down, ...axes, '</svg>'].join('');
}

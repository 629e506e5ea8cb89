/** A table as HTML: numbers of a column written alike and set to the right. */
import { escapeMarkup } from './escape-markup.ts';
import type { Cell, ReportTable } from './report-input.ts';

const finite = (cells: readonly Cell[]): number[] =>
  cells.filter((cell): cell is number => typeof cell === 'number' && Number.isFinite(cell));

/** Groups of three digits: 1,867,405. */
const grouped = (whole: string): string => whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',');

/** Writes the cells of one column: whole numbers grouped, others with as many decimals as three digits need. */
export function formatColumn(cells: readonly Cell[]): string[] {
  const numbers = finite(cells);
  const largest = Math.max(0, ...numbers.map(Math.abs));
  const whole = numbers.every(Number.isInteger);
  const decimals = whole || largest === 0 ? 0 : Math.min(Math.max(2 - Math.floor(Math.log10(largest)), 0), 8);
  return cells.map((cell) => {
    if (typeof cell === 'string') return cell;
    if (cell === null || !Number.isFinite(cell)) return '–';
    const [integer = '', fraction] = cell.toFixed(decimals).split('.');
    return fraction === undefined ? grouped(integer) : `${grouped(integer)}.${fraction}`;
  });
}

/** The table's HTML; all text escaped. The first column is set to the left as the rows' names. */
export function renderTable({ columns, rows }: ReportTable): string {
  const written = columns.map((_, c) => formatColumn(rows.map((row) => row[c] ?? null)));
  const head = columns.map((name) => `<th scope="col">${escapeMarkup(name)}</th>`).join('');
  const body = rows.map((_, r) => {
    const cells = written.map((column, c) => {
      const text = escapeMarkup(column[r] ?? '');
      return c === 0 ? `<th scope="row">${text}</th>` : `<td>${text}</td>`;
    });
    return `<tr>${cells.join('')}</tr>`;
  });
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
}

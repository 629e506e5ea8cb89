/** `results.csv`: one line an epoch, numbers that a resumed run reproduces to the bit. */
import { writeFileAtomic } from '../flow/atomic-file.ts';
import { columnsOf, publishedRow } from './results-columns.ts';

/** The table of rows with the columns of all of them, under their published names; empty cells where a row has none. */
export function resultsCsv(rows: readonly Readonly<Record<string, number>>[]): string {
  const published = rows.map(publishedRow);
  const columns = columnsOf(published);
  const lines = published.map((row) => columns.map((column) => String(row[column] ?? '')).join(','));
  return `${[columns.join(','), ...lines].join('\n')}\n`;
}

export const writeResults = (
  file: string,
  rows: readonly Readonly<Record<string, number>>[],
): Promise<void> => writeFileAtomic(file, Buffer.from(resultsCsv(rows)));

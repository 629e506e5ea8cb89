/** Reads `results.csv`: a header, then a line of numbers an epoch. */
import { readFile } from 'node:fs/promises';
import { errnoOf, fileError } from '../flow/file-error.ts';

export interface ResultsTable {
  readonly columns: readonly string[];
  /** As many numbers a row as there are columns; NaN where a cell is empty or no number. */
  readonly rows: readonly (readonly number[])[];
}

/** Parses the text of a results.csv with any set of columns; blanks around cells are ignored. */
export function parseResults(text: string): ResultsTable {
  const [header = '', ...lines] = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const columns = header === '' ? [] : header.split(',').map((cell) => cell.trim());
  const rows = lines.map((line) => {
    const cells = line.split(',').map((cell) => cell.trim());
    return columns.map((_, i) => {
      const cell = cells[i];
      return cell === undefined || cell === '' ? NaN : Number(cell);
    });
  });
  return { columns, rows };
}

/** The table in `file`; one without rows where there is no such file. Throws E_FILE. */
export async function readResults(file: string): Promise<ResultsTable> {
  try {
    return parseResults(await readFile(file, 'utf8'));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { columns: [], rows: [] };
    throw fileError(error, file, 'read');
  }
}

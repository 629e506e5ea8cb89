/** What a finished run cost, and how large its loss was against the hard loss in it. */
import { readFile } from 'node:fs/promises';
import { fileError } from '../flow/file-error.ts';
import { readResults } from '../report/results-table.ts';
import { runFiles } from '../train/run-files.ts';

export interface RunPace {
  /** Seconds of its epochs, measurements included. */
  readonly seconds: number;
  /** Mean over the epochs of the whole loss by the hard loss, both as weighted; null where there is no hard loss. */
  readonly lossScale: number | null;
}

const HARD = 'train/weighted/hard/';

/** Reads a run's folder. Throws E_FILE. */
export async function runPace(folder: string): Promise<RunPace> {
  const { rates, results } = runFiles(folder);
  let text: string;
  try {
    text = await readFile(rates, 'utf8');
  } catch (error) {
    throw fileError(error, rates, 'read');
  }
  const seconds = text
    .split('\n')
    .filter((line) => line !== '')
    .reduce((sum, line) => sum + Number(line.split(',')[1]), 0);
  const { columns, rows } = await readResults(results);
  const total = columns.indexOf('train/total');
  const ratios = rows.flatMap((row) => {
    const hard = columns.reduce((sum, name, i) => (name.startsWith(HARD) ? sum + (row[i] ?? 0) : sum), 0);
    const whole = row[total] ?? NaN;
    return hard > 0 && Number.isFinite(whole) ? [whole / hard] : [];
  });
  return {
    seconds,
    lossScale: ratios.length === 0 ? null : ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length,
  };
}

/** Teacher, student and baseline side by side. */
import { alignedTable } from '../text/aligned-table.ts';
import type { ReportTable } from './report-input.ts';
import { formatColumn } from './table.ts';

/** One model of the comparison. */
export interface ModelRow {
  readonly name: string;
  /** Trainable values. */
  readonly parameters: number;
  /** Size of its weight file. */
  readonly bytes: number;
  readonly mAP50: number;
  readonly mAP50_95: number;
  /** Time of the network alone, milliseconds. */
  readonly msPerImage: number;
}

/** The comparison as a table; undefined without rows. */
export const modelTable = (rows: readonly ModelRow[]): ReportTable | undefined =>
  rows.length === 0
    ? undefined
    : {
        columns: ['model', 'parameters', 'MB', 'mAP50', 'mAP50-95', 'ms an image'],
        rows: rows.map(({ name, parameters, bytes, mAP50, mAP50_95, msPerImage }) => [
          name,
          parameters,
          bytes / 1e6,
          mAP50,
          mAP50_95,
          msPerImage,
        ]),
      };

/** The comparison as lines of text; empty without rows. */
export function rowsText(rows: readonly ModelRow[]): string {
  const table = modelTable(rows);
  if (table === undefined) return '';
  const columns = table.columns.map((_, c) => formatColumn(table.rows.map((row) => row[c] ?? null)));
  return alignedTable([table.columns, ...rows.map((_, r) => columns.map((cells) => cells[r] ?? ''))]);
}

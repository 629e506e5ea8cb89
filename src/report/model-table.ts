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
  /** Of a detector. */
  readonly mAP50?: number | undefined;
  readonly mAP50_95?: number | undefined;
  /** Of a classifier, 0...1. */
  readonly accuracy?: number | undefined;
  /** Time of the network alone, milliseconds. */
  readonly msPerImage: number;
}

/** The comparison as a table; undefined without rows. */
export function modelTable(rows: readonly ModelRow[]): ReportTable | undefined {
  if (rows.length === 0) return undefined;
  const isClassified = rows.some(({ accuracy }) => accuracy !== undefined);
  return {
    columns: [
      'model',
      'parameters',
      'MB',
      ...(isClassified ? ['accuracy'] : ['mAP50', 'mAP50-95']),
      'ms an image',
    ],
    rows: rows.map(({ name, parameters, bytes, mAP50 = NaN, mAP50_95 = NaN, accuracy = NaN, msPerImage }) => [
      name,
      parameters,
      bytes / 1e6,
      ...(isClassified ? [accuracy] : [mAP50, mAP50_95]),
      msPerImage,
    ]),
  };
}

/** The comparison as lines of text; empty without rows. */
export function rowsText(rows: readonly ModelRow[]): string {
  const table = modelTable(rows);
  if (table === undefined) return '';
  const columns = table.columns.map((_, c) => formatColumn(table.rows.map((row) => row[c] ?? null)));
  return alignedTable([table.columns, ...rows.map((_, r) => columns.map((cells) => cells[r] ?? ''))]);
}

/** The table at a pipeline's end: models side by side. */
import { alignedTable } from '../text/aligned-table.ts';
import type { Evaluation } from './artefacts.ts';

/** Rows in order: name, parameters, size, mAP50, mAP50-95, milliseconds an image. */
export function comparison(rows: readonly (readonly [name: string, evaluation: Evaluation])[]): string {
  const table = [
    ['model', 'parameters', 'MB', 'mAP50', 'mAP50-95', 'ms an image'],
    ...rows.map(([name, e]) => [
      name,
      String(e.parameters),
      (e.bytes / 1e6).toFixed(2),
      e.mAP50.toFixed(3),
      e.mAP50_95.toFixed(3),
      e.inferenceMs.toFixed(1),
    ]),
  ];
  return alignedTable(table);
}

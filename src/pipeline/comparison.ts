/** The table at a pipeline's end: models side by side. */
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
  const widths = table[0]?.map((_, c) => Math.max(...table.map((row) => row[c]?.length ?? 0))) ?? [];
  return table
    .map((row) =>
      row
        .map((cell, c) => cell[c === 0 ? 'padEnd' : 'padStart'](widths[c] ?? 0))
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}

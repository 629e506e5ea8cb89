/** The table at the end of a pipeline of classifiers: models side by side. */
import { alignedTable } from '../text/aligned-table.ts';
import type { Classification } from './artefacts.ts';

/** Rows in order: name, parameters, accuracy, the mean of the classes' own, cross entropy, milliseconds an image. */
export const classificationTable = (
  rows: readonly (readonly [name: string, measured: Classification])[],
): string =>
  alignedTable([
    ['model', 'parameters', 'accuracy', 'mean of classes', 'cross entropy', 'ms an image'],
    ...rows.map(([name, c]) => [
      name,
      String(c.parameters),
      c.accuracy.toFixed(3),
      c.meanClassAccuracy.toFixed(3),
      c.crossEntropy.toFixed(3),
      c.inferenceMs.toFixed(1),
    ]),
  ]);

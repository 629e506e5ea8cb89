/** The figures of an evaluation as a table for a person. */
import type { ClassResult, EvaluationResult } from '../metric/detection-metrics.ts';

const row = (name: string, images: string, figures: Omit<ClassResult, 'class' | 'name'>, width: number) =>
  [
    name.padEnd(width),
    images.padStart(7),
    String(figures.instances).padStart(10),
    ...[figures.P, figures.R, figures.mAP50, figures.mAP50_95].map((v) => v.toFixed(4).padStart(9)),
  ].join('');

/** One line for all classes, and one a class where there is more than one. */
export function evaluationTable(result: EvaluationResult): string {
  const names = ['all', ...result.per_class.map(({ name }) => name)];
  const width = Math.max(12, ...names.map((name) => name.length + 2));
  const head =
    'class'.padEnd(width) +
    'images'.padStart(7) +
    'instances'.padStart(10) +
    ['P', 'R', 'mAP50', 'mAP50-95'].map((title) => title.padStart(9)).join('');
  const classes = result.per_class.length > 1 ? result.per_class : [];
  return [
    head,
    row('all', String(result.images), result, width),
    ...classes.map((found) => row(found.name, '', found, width)),
  ].join('\n');
}

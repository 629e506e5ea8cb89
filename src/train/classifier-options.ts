/** How a run's classifier is distilled. */
import { isClassifier } from '../model/detector.ts';
import { classifierOptionsSchema, type ClassifierOptions } from '../loss/classifier-options.ts';
import type { PreparedRun } from './prepare-run.ts';

/** The options of a classifier's run, `none` without a teacher; undefined for a detector. */
export function classifierOf(
  run: Pick<PreparedRun, 'graph' | 'cache' | 'distillation'>,
): ClassifierOptions | undefined {
  if (!isClassifier(run.graph.head)) return undefined;
  if (run.cache === undefined) return classifierOptionsSchema.parse({ kind: 'none' });
  return run.distillation.classifier ?? classifierOptionsSchema.parse({});
}

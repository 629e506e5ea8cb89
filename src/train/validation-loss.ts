/** The loss against labels over a validation split: the mean over its batches, without gradients. */
import * as tf from '@tensorflow/tfjs-core';
import type { EngineOps } from '../engine/engine.ts';
import type { EvaluatedBatch } from '../evaluate/evaluate-model.ts';
import type { PreparedRun } from './prepare-run.ts';
import { runHardLoss } from './run-hard-loss.ts';

export interface ValidationLoss {
  /** Takes in one batch. */
  add(batch: EvaluatedBatch): void;
  /** Means of the terms `box`, `obj` and `cls`, times their gains, over the batches so far. */
  result(): Readonly<Record<string, number>>;
}

export function createValidationLoss(
  run: Pick<PreparedRun, 'options' | 'graph' | 'hyp'>,
  ops: EngineOps,
): ValidationLoss {
  const { hard, gains } = runHardLoss(run);
  const { head } = run.graph;
  const sums = new Map<string, number>();
  let batches = 0;
  return {
    add({ heads, labels, images }) {
      const terms = tf.tidy(() => {
        const tensors = heads.map(({ ny, nx, data }) =>
          tf.tensor5d(data, [images, ny, nx, head.na, head.no]),
        );
        const student = { heads: tensors, features: new Map<number, tf.Tensor4D>() };
        const target = { labels, labelled: new Array<boolean>(images).fill(true) };
        const found = hard(student, target, { ops, head, gains, adapt: (_, feature) => feature });
        return Object.entries(found).map(([name, term]) => [name, term.dataSync()[0] ?? NaN] as const);
      });
      for (const [name, value] of terms) sums.set(name, (sums.get(name) ?? 0) + value);
      batches += 1;
    },
    result: () => Object.fromEntries([...sums].map(([name, sum]) => [name, sum / batches])),
  };
}

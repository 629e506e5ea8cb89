import * as tf from '@tensorflow/tfjs-core';
import type { EngineOps } from '../engine/engine.ts';
import type { AssignedLevel } from './assigned-levels.ts';
import { binaryCrossEntropy } from './binary-cross-entropy.ts';
import { columnOf } from './head-rows.ts';
import { stopGradient } from './stop-gradient.ts';

export interface ObjectnessOptions {
  /** Weight of the positives; 1 by default. */
  readonly objPw?: number;
  /** Focal loss exponent; 0 (off) by default. */
  readonly flGamma?: number;
  /** Share of the overlap in the target, 0...1; the rest is a constant 1. 1 by default. */
  readonly gr?: number;
}

/** The objectness target of a level [lines, count / lines]; the last of the rows that share a cell decides. */
function objectnessTarget(
  { head, cells, start }: AssignedLevel,
  overlap: tf.Tensor1D | undefined,
  gr: number,
): tf.Tensor2D {
  const shape: [number, number] = [head.lines, head.count / head.lines];
  if (overlap === undefined || cells.length === 0) return tf.zeros(shape);
  const winners = new Map<number, number>();
  cells.forEach((cell, i) => winners.set(cell, start + i));
  return stopGradient(() => {
    const values = tf.relu(tf.gather(overlap, tf.tensor1d([...winners.values()], 'int32')));
    return tf.reshape(
      tf.scatterND(
        tf.tensor2d([...winners.keys()], [winners.size, 1], 'int32'),
        gr === 1 ? values : tf.add(tf.mul(values, gr), 1 - gr),
        [head.count],
      ),
      shape,
    );
  });
}

/**
 * Mean cross entropy of a level's objectness over its labelled images. Its target is 0, and where a row was assigned
 * the `overlap` of its prediction with the label (one value an assigned row of all levels, clamped at 0), through
 * which no gradient flows.
 */
export function objectnessTerm(
  ops: EngineOps,
  level: AssignedLevel,
  overlap: tf.Tensor1D | undefined,
  labelled: readonly boolean[],
  { objPw = 1, flGamma = 0, gr = 1 }: ObjectnessOptions,
): tf.Scalar {
  const { head } = level;
  const target = objectnessTarget(level, overlap, gr);
  const entropy = binaryCrossEntropy(ops, tf.reshape(columnOf(head.rows, 4), target.shape), target, {
    positiveWeight: objPw,
    focalGamma: flGamma,
  });
  const perImage = head.count / head.batch;
  const weight = 1 / (perImage * labelled.filter(Boolean).length);
  const weights = labelled.flatMap((known) => new Array<number>(head.ny).fill(known ? weight : 0));
  return tf.sum(tf.mul(tf.sum(entropy, 1), tf.tensor1d(weights)));
}

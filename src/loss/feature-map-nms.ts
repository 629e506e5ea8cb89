/**
 * Suppression of a teacher's answers on the grid (FM-NMS of Mehta and Ozturk 2018): of neighbouring rows that see the
 * same object only the surest one teaches, so that one object does not teach many times over.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { EngineOps } from '../engine/engine.ts';
import type { HeadRows } from './head-rows.ts';

/**
 * 1 for rows that stay and 0 for suppressed ones, [n,1]: a row stays when no row of its own best class, in the 3x3
 * cells around it and of any anchor, has a higher objectness. `head` is a raw head [B,ny,nx,na,no]. Rows that are
 * exactly as sure both stay. Not differentiable; nothing is read back. The caller disposes the result.
 */
export function featureMapNms(ops: EngineOps, head: tf.Tensor5D): tf.Tensor2D {
  return tf.tidy(() => {
    const [b, ny, nx, na, no] = head.shape;
    const sure = tf.sigmoid(tf.slice(head, [0, 0, 0, 0, 4], [-1, -1, -1, -1, 1])); // [B,ny,nx,na,1]
    const classes = tf.slice(head, [0, 0, 0, 0, 5], [-1, -1, -1, -1, no - 5]);
    // oneHot knows no single class.
    const own =
      no === 6
        ? tf.ones<tf.Rank.R5>([b, ny, nx, na, 1])
        : tf.reshape<tf.Rank.R5>(
            tf.cast(tf.oneHot(tf.reshape(tf.argMax(classes, 4), [b * ny * nx * na]), no - 5), 'float32'),
            [b, ny, nx, na, no - 5],
          );
    // The surest row of each class in a cell, then around it.
    const cells = tf.reshape<tf.Rank.R4>(tf.max(tf.mul(own, sure), 3), [b, ny, nx, no - 5]);
    const around = tf.reshape(ops.maxPool(cells, 3, 1), [b, ny, nx, 1, no - 5]);
    const rival = tf.sum(tf.mul(own, around), 4, true);
    return tf.reshape(tf.cast(tf.greaterEqual(sure, rival), 'float32'), [b * ny * nx * na, 1]);
  });
}

/**
 * The suppression as YOLOv5's first distiller wrote it, over host objectness logits: 1 for the surest row of every
 * whole block of 3x3 cells (counted from the top left, blocks do not overlap, classes are not looked at), and for all
 * rows right of and below the last whole block; 0 for the others.
 */
export function blockSuppression(
  logits: ArrayLike<number>,
  { batch, ny, nx, na }: Pick<HeadRows, 'batch' | 'ny' | 'nx' | 'na'>,
): Float32Array {
  const stays = new Float32Array(logits.length).fill(1);
  for (let image = 0; image < batch; image++) {
    for (let top = 0; top + 3 <= ny; top += 3) {
      for (let left = 0; left + 3 <= nx; left += 3) {
        const rows: number[] = [];
        for (let y = top; y < top + 3; y++) {
          for (let i = 0; i < 3 * na; i++) rows.push(((image * ny + y) * nx + left) * na + i);
        }
        const surest = rows.reduce((a, c) => ((logits[c] ?? NaN) > (logits[a] ?? NaN) ? c : a));
        for (const row of rows) if (row !== surest) stays[row] = 0;
      }
    }
  }
  return stays;
}

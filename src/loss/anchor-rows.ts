import * as tf from '@tensorflow/tfjs-core';
import type { HeadSpec } from '../model/detector.ts';
import type { HeadRows } from './head-rows.ts';

/** Width and height, grid units, of the anchor of every row of a level: [n,2]. The caller disposes the result. */
export function anchorRows({ count, na }: HeadRows, level: number, spec: HeadSpec): tf.Tensor2D {
  const stride = spec.strides[level] ?? NaN;
  const sides = (spec.anchors[level] ?? []).flatMap((pair) => pair.map((side) => side / stride));
  return tf.tidy(() => tf.tile(tf.tensor2d(sides, [na, 2]), [count / na, 1]));
}

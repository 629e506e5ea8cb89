/** Darknet's heads in the terms of YOLOv5's, so that losses, evaluation and caches know one convention. */
import * as tf from '@tensorflow/tfjs-core';
import type { HeadSpec } from '../detector.ts';
import type { Entry } from '../module.ts';

/** `scale_x_y` of YOLOv4-tiny: centres reach a little over the border of their cell. */
const SCALE_XY = 1.05;

/** Sides are told up to the largest that YOLOv5's form has, 4 anchors, less this share. */
const LARGEST = Math.log(2 * 0.9999);

/** State-dict entries: the anchors buffer alone; the convolutions are rows of their own. */
export const darknetEntries = (head: Pick<HeadSpec, 'strides' | 'na'>): Entry[] => [
  { name: 'anchors', shape: [head.strides.length, head.na, 2], role: 'anchors', initial: { value: 0 } },
];

/**
 * Raw logits of a darknet head, x [B,ny,nx,na*no], as the logits [B,ny,nx,na,no] with which YOLOv5's decoding gives the
 * same boxes: darknet's centre is 1.05 s(t) - 0.025 of a cell and its side e^t anchors, YOLOv5's 2 s(u) - 0.5 and
 * 4 s(u)^2. Objectness and classes are the same. Sides of more than 4 anchors, which YOLOv5's form does not have,
 * become 3.9992 anchors.
 */
export function darknetLogits(x: tf.Tensor4D, { na, no }: Pick<HeadSpec, 'na' | 'no'>): tf.Tensor5D {
  const [b, h, w] = x.shape;
  const rows = tf.reshape<tf.Rank.R2>(x, [b * h * w * na, no]);
  const columns = (from: number, size: number): tf.Tensor2D => tf.slice(rows, [0, from], [-1, size]);
  // s(u) = (c + 1/2) / 2 with c = SCALE_XY s(t) - (SCALE_XY - 1) / 2
  const share = tf.add(tf.mul(tf.sigmoid(columns(0, 2)), SCALE_XY / 2), (2 - SCALE_XY) / 4);
  const centres = tf.sub(tf.log(share), tf.log1p(tf.neg(share)));
  // s(u) = v with v = e^(t/2) / 2; ln v - ln(1 - v)
  const half = tf.minimum(tf.mul(columns(2, 2), 0.5), LARGEST);
  const sides = tf.sub(tf.sub(half, Math.LN2), tf.log1p(tf.mul(tf.exp(half), -0.5)));
  return tf.reshape(tf.concat([centres, sides, columns(4, no - 4)], 1), [b, h, w, na, no]);
}

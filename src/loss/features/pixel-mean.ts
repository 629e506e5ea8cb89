import * as tf from '@tensorflow/tfjs-core';
import { meanOf } from './mean-of.ts';

/**
 * Mean of `values` [B,H,W,C] over all elements; with `weights` [B,H,W,1], which sum up to 1, the mean over channels,
 * weighted over the pixels.
 */
export function pixelMean(values: tf.Tensor4D, weights: tf.Tensor4D | undefined): tf.Scalar {
  if (weights === undefined) return meanOf(values);
  const pixels = tf.mul(tf.sum(values, 3, true), weights);
  return tf.div<tf.Scalar>(tf.sum(tf.sum(pixels, 2)), values.shape[3]);
}

/** The gradient of `pixelMean` where `slope` is that of each element. */
export function slopePerPixel(
  slope: tf.Tensor4D,
  dy: tf.Scalar,
  weights: tf.Tensor4D | undefined,
): tf.Tensor4D {
  if (weights === undefined) return tf.mul(slope, tf.div(dy, slope.size));
  return tf.mul(slope, tf.mul(weights, tf.div(dy, slope.shape[3])));
}

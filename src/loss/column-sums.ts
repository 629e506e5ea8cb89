import * as tf from '@tensorflow/tfjs-core';

/**
 * Weighted sums over rows: `weights` [n,r] transposed times `values` [n,c], [r,c]. Summed within each of `lines`
 * groups of rows first and over the groups then, so that rounding does not grow with n. `lines` divides n.
 * Differentiable in both; the caller disposes the result.
 */
export function columnSums(weights: tf.Tensor2D, values: tf.Tensor2D, lines: number): tf.Tensor2D {
  return tf.tidy(() => {
    const [n, r] = weights.shape;
    const c = values.shape[1];
    const perLine = tf.matMul(
      tf.reshape(weights, [lines, n / lines, r]),
      tf.reshape(values, [lines, n / lines, c]),
      true,
    ); // [lines, r, c]
    return tf.reshape(tf.matMul(tf.ones([1, lines]), tf.reshape(perLine, [lines, r * c])), [r, c]);
  });
}

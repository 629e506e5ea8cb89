import * as tf from '@tensorflow/tfjs-core';

const LINE = 64;

/** Sums a vector in lines of 64, the lines' sums likewise: the rounding error grows with the logarithm of n. */
function sumByLines(vector: tf.Tensor1D): tf.Scalar {
  const lines = Math.floor(vector.size / LINE);
  if (lines === 0) return tf.sum(vector);
  const whole = lines * LINE;
  const sums = tf.sum<tf.Tensor1D>(tf.reshape(tf.slice1d(vector, 0, whole), [lines, LINE]), 1);
  const rest = tf.sum<tf.Scalar>(tf.slice1d(vector, whole, vector.size - whole));
  return tf.add(sumByLines(sums), rest);
}

/**
 * L2 norm of a vector [n]. The wasm backend's own sum is one running float32, which loses three digits over a million
 * values. The caller disposes the scalar.
 */
export const l2Norm = (vector: tf.Tensor1D): tf.Scalar =>
  tf.tidy(() => tf.sqrt(sumByLines(tf.square(vector))));

import * as tf from '@tensorflow/tfjs-core';

/**
 * KL(q || p) of each row, [n], from the logarithms of both distributions [n, N]. Summed as q (d + e^-d - 1),
 * d = log q - log p, whose terms are all positive: near-equal distributions do not cancel. Not differentiable.
 */
export function kullbackLeibler(logQ: tf.Tensor2D, logP: tf.Tensor2D): tf.Tensor1D {
  const difference = tf.sub(logQ, logP);
  return tf.sum(tf.mul(tf.exp(logQ), tf.add(difference, tf.expm1(tf.neg(difference)))), 1);
}

import * as tf from '@tensorflow/tfjs-core';

/** Bounds e^x: above it float32 overflows, and what it multiplies has vanished already. */
const LARGEST_EXPONENT = 80;

/**
 * What each outcome adds to KL(q || p), from the logarithms of both: q (d + e^-d - 1), d = log q - log p. The terms
 * are all positive, so that near-equal distributions do not cancel. Any equal shapes. Not differentiable.
 */
export function divergenceTerms<T extends tf.Tensor>(logQ: T, logP: T): T {
  const difference = tf.sub<T>(logQ, logP);
  const rise = tf.expm1(tf.minimum<T>(tf.neg(difference), LARGEST_EXPONENT));
  return tf.mul(tf.exp(logQ), tf.add(difference, rise));
}

/** KL(q || p) of each row, [n], from the logarithms of both distributions [n, N]. Not differentiable. */
export const kullbackLeibler = (logQ: tf.Tensor2D, logP: tf.Tensor2D): tf.Tensor1D =>
  tf.sum(divergenceTerms(logQ, logP), 1);

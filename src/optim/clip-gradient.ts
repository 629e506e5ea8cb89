import * as tf from '@tensorflow/tfjs-core';
import { l2Norm } from './l2-norm.ts';

/** A gradient scaled to a global L2 norm of at most `limit`, and the norm before. Runs in a tidy. */
export function clipGradient(
  gradient: tf.Tensor1D,
  limit: number,
): { readonly gradient: tf.Tensor1D; readonly norm: tf.Scalar } {
  const norm = l2Norm(gradient);
  // limit / (norm + 1e-6), at most 1: PyTorch's clip_grad_norm_.
  const factor = tf.minimum(tf.div(limit, tf.add(norm, 1e-6)), 1);
  return { gradient: tf.mul(gradient, factor), norm };
}

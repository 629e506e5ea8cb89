/** The classification head: the mean over all pixels, and a linear layer. Raw logits out. */
import * as tf from '@tensorflow/tfjs-core';
import type { Entry, Scope } from '../module.ts';

/** State-dict entries of the linear layer, PyTorch's shapes and initialisation (uniform in ±1/sqrt(inputs)). */
export function classifyEntries(classes: number, inChannels: number): Entry[] {
  const initial = { bound: 1 / Math.sqrt(inChannels) };
  return [
    { name: 'linear.weight', shape: [classes, inChannels], role: 'weight', initial },
    { name: 'linear.bias', shape: [classes], role: 'bias', initial },
  ];
}

/** Raw logits of x [B,H,W,C] as the one cell of a head: [B, 1, 1, 1, classes]. */
export function classifyLogits(x: tf.Tensor4D, scope: Scope, classes: number): tf.Tensor5D {
  const pooled = tf.mean<tf.Tensor2D>(x, [1, 2]); // [B, C]
  const weight = scope.value('linear.weight') as tf.Tensor2D;
  const logits = tf.add(tf.matMul(pooled, weight, false, true), scope.value('linear.bias'));
  return tf.reshape(logits, [x.shape[0], 1, 1, 1, classes]);
}

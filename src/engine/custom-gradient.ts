import * as tf from '@tensorflow/tfjs-core';

/** Keeps tensors alive until the gradient is taken; without a gradient being recorded it does nothing. */
export type Save = (...tensors: tf.Tensor[]) => void;

export interface WithGradient<T extends tf.Tensor> {
  readonly value: T;
  /** Gradients of the inputs, in their order. `saved` are the tensors saved by the forward pass. */
  readonly gradient: (dy: T, saved: tf.Tensor[]) => tf.Tensor[];
}

/**
 * An operation with its own gradient: tfjs-core's `customGrad`, typed. Intermediates that the gradient reads, the
 * inputs included, must be passed to `save`; everything else is disposed with the forward scope.
 */
export function withGradient<T extends tf.Tensor>(
  inputs: readonly tf.Tensor[],
  forward: (save: Save) => WithGradient<T>,
): T {
  const run = tf.customGrad((...received: (tf.Tensor | tf.GradSaveFunc)[]) => {
    const save = received[received.length - 1] as tf.GradSaveFunc;
    const { value, gradient } = forward((...tensors) => save(tensors));
    return {
      value,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => gradient(dy as T, saved),
    };
  });
  return run(...inputs);
}

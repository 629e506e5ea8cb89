import * as tf from '@tensorflow/tfjs-core';
import { withGradient } from '../engine/custom-gradient.ts';
import { divergenceTerms } from './kullback-leibler.ts';

/**
 * KL(Bernoulli(sigmoid(teacher)) || Bernoulli(sigmoid(student))) of every pair of logits, without reduction; any
 * equal shapes. 0 where they are equal, and exact near it. Differentiable in `student`: sigmoid(s) - sigmoid(t). The
 * caller disposes the result.
 */
export function bernoulliDivergence<T extends tf.Tensor>(student: T, teacher: T): T {
  return withGradient<T>([student], (save) => {
    save(student, teacher);
    const [yes, no] = [1, -1].map((sign) => {
      const logarithm = (logits: T): T => tf.neg<T>(tf.softplus(tf.mul<T>(logits, -sign)));
      return divergenceTerms(logarithm(teacher), logarithm(student));
    }) as [T, T];
    return {
      value: tf.add<T>(yes, no),
      gradient: (dy, [s, t]) => [tf.mul(tf.sub(tf.sigmoid(s as T), tf.sigmoid(t as T)), dy)],
    };
  });
}

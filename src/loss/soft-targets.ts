/** Logit distillation with a temperature (Hinton, Vinyals and Dean 2015), for softmax and for sigmoid classes. */
import * as tf from '@tensorflow/tfjs-core';
import { withGradient } from '../engine/custom-gradient.ts';
import type { EngineOps } from '../engine/engine.ts';
import { checkedTemperature } from './checked-temperature.ts';
import { kullbackLeibler } from './kullback-leibler.ts';

export interface SoftTargetOptions {
  /** T > 0; 1 by default. The loss carries the factor T^2, so that its gradient keeps its size when T changes. */
  readonly temperature?: number;
}

/**
 * T^2 KL(softmax(teacher/T) || softmax(student/T)), mean over the batch; logits [B,N]. Differentiable in `student`:
 * T (q_s - q_t)/B. Throws E_LOSS for a temperature that is not positive. The caller disposes the result.
 */
export function softTargets(
  student: tf.Tensor2D,
  teacher: tf.Tensor2D,
  { temperature = 1 }: SoftTargetOptions = {},
): tf.Scalar {
  const T = checkedTemperature(temperature);
  const batch = student.shape[0];
  return withGradient<tf.Scalar>([student], (save) => {
    const own = tf.logSoftmax(tf.mul<tf.Tensor2D>(student, 1 / T));
    const theirs = tf.logSoftmax(tf.mul<tf.Tensor2D>(teacher, 1 / T));
    save(own, tf.exp(theirs));
    return {
      value: tf.mul(tf.sum(kullbackLeibler(theirs, own)), (T * T) / batch),
      gradient: (dy, [logP, q]) => [
        tf.mul(tf.sub(tf.exp(logP as tf.Tensor2D), q as tf.Tensor2D), tf.mul(dy, T / batch)),
      ],
    };
  });
}

/**
 * T^2 BCE(student/T, sigmoid(teacher/T)), mean over all elements: soft targets for classes that do not exclude each
 * other. Logits of any, equal shapes. Differentiable in `student`: T (s_s - s_t)/N. Throws E_LOSS for a temperature
 * that is not positive. The caller disposes the result.
 */
export function softSigmoidTargets(
  ops: EngineOps,
  student: tf.Tensor,
  teacher: tf.Tensor,
  { temperature = 1 }: SoftTargetOptions = {},
): tf.Scalar {
  const T = checkedTemperature(temperature);
  return tf.tidy(() => {
    const entropy = ops.sigmoidCrossEntropy(tf.mul(student, 1 / T), tf.sigmoid(tf.mul(teacher, 1 / T)));
    return tf.mul<tf.Scalar>(tf.mean(entropy), T * T);
  });
}

/**
 * Cross entropy of logits [B,N] with class indices (one a row), mean over the batch. Differentiable in `logits`.
 * The caller disposes the result.
 */
export function crossEntropy(logits: tf.Tensor2D, classes: readonly number[]): tf.Scalar {
  const [batch, width] = logits.shape;
  return withGradient<tf.Scalar>([logits], (save) => {
    const truth = new Float32Array(batch * width);
    classes.forEach((index, row) => (truth[row * width + index] = 1));
    const target = tf.tensor2d(truth, [batch, width]);
    const logP = tf.logSoftmax(logits);
    save(logP, target);
    return {
      value: tf.div(tf.sum(tf.mul(logP, target)), -batch),
      gradient: (dy, [p, t]) => [
        tf.mul(tf.sub(tf.exp(p as tf.Tensor2D), t as tf.Tensor2D), tf.div(dy, batch)),
      ],
    };
  });
}

export interface HintonLossOptions extends SoftTargetOptions {
  /** Weight of the soft term, 0...1; the hard one gets 1 - alpha. 0.9 by default. */
  readonly alpha?: number;
}

/**
 * Terms `soft` and `hard` of a classifier's distillation, unweighted, and their `total` =
 * alpha soft + (1 - alpha) hard. Logits are [B,N], `classes` one index a row. The caller disposes them.
 */
export function hintonLoss(
  student: tf.Tensor2D,
  teacher: tf.Tensor2D,
  classes: readonly number[],
  { temperature = 4, alpha = 0.9 }: HintonLossOptions = {},
): { readonly soft: tf.Scalar; readonly hard: tf.Scalar; readonly total: tf.Scalar } {
  return tf.tidy(() => {
    const soft = softTargets(student, teacher, { temperature });
    const hard = crossEntropy(student, classes);
    return { soft, hard, total: tf.add<tf.Scalar>(tf.mul(soft, alpha), tf.mul(hard, 1 - alpha)) };
  });
}

import * as tf from '@tensorflow/tfjs-core';
import { withGradient } from '../../engine/custom-gradient.ts';
import { meanOf } from './mean-of.ts';

/** Mean of |student - teacher| over all elements; both [B,H,W,C]. Differentiable in `student`. */
export const absoluteError = (student: tf.Tensor4D, teacher: tf.Tensor4D): tf.Scalar =>
  withGradient<tf.Scalar>([student], (save) => {
    const difference = tf.sub<tf.Tensor4D>(student, teacher);
    save(difference);
    return {
      value: meanOf(tf.abs(difference)),
      gradient: (dy, [d]) => [tf.mul(tf.sign(d as tf.Tensor4D), tf.div(dy, student.size))],
    };
  });

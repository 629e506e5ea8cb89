import * as tf from '@tensorflow/tfjs-core';
import { withGradient } from '../../engine/custom-gradient.ts';
import { meanOf } from './mean-of.ts';

/** Mean of (student - teacher)^2 over all elements; both [B,H,W,C]. Differentiable in `student`. */
export const squaredError = (student: tf.Tensor4D, teacher: tf.Tensor4D): tf.Scalar =>
  withGradient<tf.Scalar>([student], (save) => {
    save(student, teacher);
    return {
      value: meanOf(tf.squaredDifference(student, teacher)),
      gradient: (dy, [s, t]) => [
        tf.mul(tf.sub(s as tf.Tensor4D, t as tf.Tensor4D), tf.mul(dy, 2 / student.size)),
      ],
    };
  });

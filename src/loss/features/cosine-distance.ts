import * as tf from '@tensorflow/tfjs-core';
import { withGradient } from '../../engine/custom-gradient.ts';

/** Keeps the norm of a pixel without any activation away from 0. */
const EPSILON = 1e-8;

/**
 * Mean over pixels of 1 - cos(student, teacher), the angle being between the channel vectors; both [B,H,W,C].
 * Differentiable in `student`. 0 for parallel vectors, 2 for opposite ones.
 */
export const cosineDistance = (student: tf.Tensor4D, teacher: tf.Tensor4D): tf.Scalar =>
  withGradient<tf.Scalar>([student], (save) => {
    const pixels = student.size / student.shape[3];
    const norm = (x: tf.Tensor4D): tf.Tensor4D => tf.maximum(tf.sqrt(tf.sum(tf.square(x), 3, true)), EPSILON);
    const length = norm(student);
    const unit = tf.div<tf.Tensor4D>(student, length);
    const teacherUnit = tf.div<tf.Tensor4D>(teacher, norm(teacher));
    const cosine = tf.sum<tf.Tensor4D>(tf.mul(unit, teacherUnit), 3, true); // [B,H,W,1]
    save(unit, teacherUnit, cosine, length);
    return {
      value: tf.sub(1, tf.div(tf.sum(tf.sum(cosine, 2)), pixels)),
      gradient: (dy, saved) => {
        // d cos / ds = (t/|t| - cos s/|s|) / |s|
        const [u, v, c, l] = saved as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
        return [tf.mul(tf.div(tf.sub(tf.mul(u, c), v), l), tf.div(dy, pixels))];
      },
    };
  });

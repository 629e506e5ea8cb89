import * as tf from '@tensorflow/tfjs-core';
import { withGradient } from '../../engine/custom-gradient.ts';
import { pixelMean, slopePerPixel } from './pixel-mean.ts';

/** Keeps the norm of a pixel without any activation away from 0. */
const EPSILON = 1e-8;

/**
 * Mean over pixels of 1 - cos(student, teacher), the angle being between the channel vectors; both [B,H,W,C]. With
 * `weights` [B,H,W,1], which sum up to 1, the weighted mean.
 * Differentiable in `student`. 0 for parallel vectors, 2 for opposite ones.
 */
export const cosineDistance = (
  student: tf.Tensor4D,
  teacher: tf.Tensor4D,
  weights?: tf.Tensor4D,
): tf.Scalar =>
  withGradient<tf.Scalar>([student], (save) => {
    const norm = (x: tf.Tensor4D): tf.Tensor4D => tf.maximum(tf.sqrt(tf.sum(tf.square(x), 3, true)), EPSILON);
    const length = norm(student);
    const unit = tf.div<tf.Tensor4D>(student, length);
    const teacherUnit = tf.div<tf.Tensor4D>(teacher, norm(teacher));
    const cosine = tf.sum<tf.Tensor4D>(tf.mul(unit, teacherUnit), 3, true); // [B,H,W,1]
    save(unit, teacherUnit, cosine, length, ...(weights === undefined ? [] : [weights]));
    return {
      value: pixelMean(tf.sub<tf.Tensor4D>(1, cosine), weights),
      gradient: (dy, saved) => {
        // d cos / ds = (t/|t| - cos s/|s|) / |s|
        const [u, v, c, l, w] = saved as [
          ...[tf.Tensor4D, tf.Tensor4D, tf.Tensor4D, tf.Tensor4D],
          tf.Tensor4D | undefined,
        ];
        // One distance a pixel: the mean over channels that `slopePerPixel` takes is undone.
        const slope = tf.mul<tf.Tensor4D>(tf.div(tf.sub(tf.mul(u, c), v), l), u.shape[3]);
        return [slopePerPixel(slope, dy, w)];
      },
    };
  });

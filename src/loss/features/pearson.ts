import * as tf from '@tensorflow/tfjs-core';
import { withGradient } from '../../engine/custom-gradient.ts';
import { columnSums } from '../column-sums.ts';

/** Added to the standard deviation of a channel. */
const EPSILON = 1e-6;

interface Standardised {
  /** Each channel over batch and pixels with mean 0 and standard deviation 1, [n, C]. */
  readonly values: tf.Tensor2D;
  /** Standard deviation by n - 1, [1, C]. */
  readonly deviation: tf.Tensor2D;
}

/** Sums over the rows of [n, C]: [1, C]. */
const sumRows = (rows: tf.Tensor2D, lines: number): tf.Tensor2D =>
  columnSums(tf.ones([rows.shape[0], 1]), rows, lines);

function standardise(feature: tf.Tensor4D): Standardised {
  const [b, h, w, c] = feature.shape;
  const n = b * h * w;
  const rows = tf.reshape<tf.Rank.R2>(feature, [n, c]);
  const centred = tf.sub<tf.Tensor2D>(rows, tf.div(sumRows(rows, b * h), n));
  const variance = tf.div<tf.Tensor2D>(sumRows(tf.square(centred), b * h), Math.max(n - 1, 1));
  const deviation = tf.sqrt(variance);
  return { values: tf.div(centred, tf.add(deviation, EPSILON)), deviation };
}

/**
 * PKD (Cao et al. 2022): half the mean squared difference of the features after each channel is standardised over
 * batch and pixels, which is 1 - Pearson correlation; both [B,H,W,C]. Differentiable in `student`.
 */
export const pearsonDistance = (student: tf.Tensor4D, teacher: tf.Tensor4D): tf.Scalar =>
  withGradient<tf.Scalar>([student], (save) => {
    const [b, h, w, c] = student.shape;
    const n = b * h * w;
    const own = standardise(student);
    const difference = tf.sub<tf.Tensor2D>(own.values, standardise(teacher).values);
    save(own.values, own.deviation, difference);
    return {
      value: tf.div(tf.sum(sumRows(tf.square(difference), b * h)), 2 * n * c),
      gradient: (dy, saved) => {
        const [x, deviation, d] = saved as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
        const g = tf.mul<tf.Tensor2D>(d, tf.div(dy, n * c)); // by the standardised values
        const mean = tf.div(sumRows(g, b * h), n);
        // x = c/(s + e): the deviation s takes c s'/(s + e), with s' = c/((n - 1) s).
        const share = tf.div(
          tf.mul(
            sumRows(tf.mul(g, x), b * h),
            tf.add(1, tf.div(EPSILON, tf.maximum(deviation, EPSILON ** 2))),
          ),
          Math.max(n - 1, 1),
        );
        const inner = tf.sub(tf.sub(g, mean), tf.mul(x, share));
        return [tf.reshape(tf.div(inner, tf.add(deviation, EPSILON)), [b, h, w, c])];
      },
    };
  });

import * as tf from '@tensorflow/tfjs-core';
import { withGradient } from '../../engine/custom-gradient.ts';
import { pixelMean, slopePerPixel } from './pixel-mean.ts';

/**
 * Mean of |student - teacher| over all elements, or over pixels weighted by `weights` (see `pixelMean`); both
 * [B,H,W,C]. Differentiable in `student`.
 */
export const absoluteError = (student: tf.Tensor4D, teacher: tf.Tensor4D, weights?: tf.Tensor4D): tf.Scalar =>
  withGradient<tf.Scalar>([student], (save) => {
    const difference = tf.sub<tf.Tensor4D>(student, teacher);
    save(difference, ...(weights === undefined ? [] : [weights]));
    return {
      value: pixelMean(tf.abs(difference), weights),
      gradient: (dy, [d, w]) => [slopePerPixel(tf.sign(d as tf.Tensor4D), dy, w as tf.Tensor4D | undefined)],
    };
  });

import * as tf from '@tensorflow/tfjs-core';
import { withGradient } from '../../engine/custom-gradient.ts';
import { pixelMean, slopePerPixel } from './pixel-mean.ts';

/**
 * Mean of (student - teacher)^2 over all elements, or over pixels weighted by `weights` (see `pixelMean`); both
 * [B,H,W,C]. Differentiable in `student`.
 */
export const squaredError = (student: tf.Tensor4D, teacher: tf.Tensor4D, weights?: tf.Tensor4D): tf.Scalar =>
  withGradient<tf.Scalar>([student], (save) => {
    save(student, teacher, ...(weights === undefined ? [] : [weights]));
    return {
      value: pixelMean(tf.squaredDifference(student, teacher), weights),
      gradient: (dy, [s, t, w]) => [
        slopePerPixel(
          tf.mul(tf.sub<tf.Tensor4D>(s as tf.Tensor4D, t as tf.Tensor4D), 2),
          dy,
          w as tf.Tensor4D | undefined,
        ),
      ],
    };
  });

import * as tf from '@tensorflow/tfjs-core';
import { withGradient } from '../../engine/custom-gradient.ts';

/** Keeps the norm of an image without any activation away from 0. */
const EPSILON = 1e-12;

/** Sum over channels of F^2, normalised to length 1 per image: [B, H*W]; and that length [B, 1]. */
function attention(feature: tf.Tensor4D): { map: tf.Tensor2D; length: tf.Tensor2D } {
  const [b, h, w] = feature.shape;
  const energy = tf.reshape<tf.Rank.R2>(tf.sum(tf.square(feature), 3), [b, h * w]);
  const length = tf.maximum<tf.Tensor2D>(tf.sqrt(tf.sum(tf.square(energy), 1, true)), EPSILON);
  return { map: tf.div(energy, length), length };
}

/**
 * Attention transfer (Zagoruyko and Komodakis 2017, equation 2 with p = 2): mean squared difference of the attention
 * maps; both [B,H,W,C], channels may differ in number. Differentiable in `student`.
 */
export const attentionTransfer = (student: tf.Tensor4D, teacher: tf.Tensor4D): tf.Scalar =>
  withGradient<tf.Scalar>([student], (save) => {
    const [b, h, w] = student.shape;
    const { map, length } = attention(student);
    const difference = tf.sub<tf.Tensor2D>(map, attention(teacher).map);
    save(student, map, difference, length);
    return {
      value: tf.div(tf.sum(tf.sum(tf.square(difference), 1)), b * h * w),
      gradient: (dy, saved) => {
        const [s, q, d, l] = saved as [tf.Tensor4D, tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
        // Through q = Q/|Q| only what is orthogonal to q passes; then dQ/dF = 2F.
        const orthogonal = tf.sub(d, tf.mul(q, tf.sum(tf.mul(q, d), 1, true)));
        const byEnergy = tf.mul(tf.div(orthogonal, l), tf.mul(dy, 4 / (b * h * w)));
        return [tf.mul(s, tf.reshape(byEnergy, [b, h, w, 1]))];
      },
    };
  });

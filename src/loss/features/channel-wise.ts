import * as tf from '@tensorflow/tfjs-core';
import { withGradient } from '../../engine/custom-gradient.ts';
import { kullbackLeibler } from '../kullback-leibler.ts';

/** [B,H,W,C] as [B*C, H*W]. */
function byChannel(feature: tf.Tensor4D): tf.Tensor2D {
  const [b, h, w, c] = feature.shape;
  return tf.reshape(tf.transpose(tf.reshape(feature, [b, h * w, c]), [0, 2, 1]), [b * c, h * w]);
}

/**
 * CWD (Shu et al. 2021): each channel becomes a distribution over the pixels, softmax(F/tau), and the loss is
 * tau^2/(B C) times the sum of KL(teacher || student); both [B,H,W,C]. `temperature` tau is 1 by default.
 * Differentiable in `student`.
 */
export const channelWise = (student: tf.Tensor4D, teacher: tf.Tensor4D, temperature = 1): tf.Scalar =>
  withGradient<tf.Scalar>([student], (save) => {
    const [b, h, w, c] = student.shape;
    const logits = (feature: tf.Tensor4D): tf.Tensor2D =>
      tf.logSoftmax(tf.mul<tf.Tensor2D>(byChannel(feature), 1 / temperature));
    const own = logits(student);
    const theirs = logits(teacher);
    save(own, tf.exp(theirs));
    return {
      value: tf.mul(tf.sum(kullbackLeibler(theirs, own)), temperature ** 2 / (b * c)),
      gradient: (dy, saved) => {
        const [logP, q] = saved as [tf.Tensor2D, tf.Tensor2D];
        const slope = tf.mul(tf.sub(tf.exp(logP), q), tf.mul(dy, temperature / (b * c)));
        const pixels = tf.transpose(tf.reshape(slope, [b, c, h * w]), [0, 2, 1]);
        return [tf.reshape(pixels, [b, h, w, c])];
      },
    };
  });

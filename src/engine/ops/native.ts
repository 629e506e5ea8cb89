/**
 * Operations of the native engine: TensorFlow's own fused kernels, called through the binding where tfjs-core has
 * no name for them.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { BatchNormResult, EngineOps } from '../engine.ts';
import { withGradient } from '../custom-gradient.ts';
import type { NativeAttribute, NativeBackend } from './native-backend.ts';
import { libraryOps } from './native-library.ts';
import { withSilu } from './batch-norm-silu.ts';
import { conv2d, withBias } from './convolution.ts';
import { portableOps } from './portable.ts';

/** Sums x [B,H,W,C] over B, H, W, a line at a time, so that rounding does not grow with the number of pixels. */
const channelSums = (x: tf.Tensor4D): tf.Tensor1D => {
  const [b, h, w, c] = x.shape;
  return tf.sum(tf.sum(tf.reshape(x, [b * h, w, c]), 1), 0);
};

/**
 * (x - mean) scale + offset per channel, in one pass: the inference form of TensorFlow's fused batch norm, several
 * times faster than broadcast products. (Its training form sums all pixels in one running float32 sum: gradients of
 * yolov5n at 160 pixels, batch 4, were off by up to 9e-5 of their norm, and are by 5e-6 with sums by lines.)
 */
const affine = (x: tf.Tensor4D, mean: tf.Tensor1D, scale: tf.Tensor1D, offset: tf.Tensor1D): tf.Tensor4D =>
  tf.batchNorm(x, mean, tf.onesLike(mean), offset, scale, 0);

/** `library`: whether to use our own ops, which the binding must then hold (`hasNativeLibrary`). */
export function nativeOps(backend: NativeBackend, library: boolean): EngineOps {
  const { binding } = backend;
  const floatType = (name: string): NativeAttribute => ({
    name,
    type: binding.TF_ATTR_TYPE,
    value: binding.TF_FLOAT,
  });
  function batchNormTrain(
    x: tf.Tensor4D,
    gamma: tf.Tensor1D,
    beta: tf.Tensor1D,
    epsilon: number,
  ): BatchNormResult {
    const n = x.size / x.shape[3];
    let mean: tf.Tensor1D | undefined;
    let variance: tf.Tensor1D | undefined;
    const y = withGradient<tf.Tensor4D>([x, gamma, beta], (save) => {
      const mu = tf.div<tf.Tensor1D>(channelSums(x), n);
      const one = tf.onesLike(mu);
      const zero = tf.zerosLike(mu);
      const centred = affine(x, mu, one, zero);
      const biased = tf.div<tf.Tensor1D>(channelSums(tf.square(centred)), n);
      const inverse = tf.rsqrt(tf.add<tf.Tensor1D>(biased, epsilon));
      mean = tf.keep(tf.clone(mu));
      variance = tf.keep(tf.mul<tf.Tensor1D>(biased, n / Math.max(n - 1, 1)));
      save(x, mu, gamma, inverse, one, zero);
      return {
        value: affine(x, mu, tf.mul(gamma, inverse), beta),
        gradient: (dy, saved) => {
          const [input, m, g, inv, ones, zeros] = saved as [
            tf.Tensor4D,
            tf.Tensor1D,
            tf.Tensor1D,
            tf.Tensor1D,
            tf.Tensor1D,
            tf.Tensor1D,
          ];
          // dx = gamma inv (dy - mean(dy) - xhat mean(dy xhat)); Ioffe & Szegedy 2015, section 3.
          const xc = affine(input, m, ones, zeros);
          const dBeta = channelSums(dy);
          const dGamma = tf.mul<tf.Tensor1D>(channelSums(tf.mul(dy, xc)), inv);
          const scale = tf.mul<tf.Tensor1D>(g, inv);
          const slope = tf.mul<tf.Tensor1D>(tf.mul(scale, inv), tf.div(dGamma, -n));
          const offset = tf.mul<tf.Tensor1D>(scale, tf.div(dBeta, -n));
          const dx = tf.add(affine(dy, zeros, scale, zeros), affine(xc, zeros, slope, offset));
          return [dx, dGamma, dBeta];
        },
      };
    });
    if (mean === undefined || variance === undefined) throw new Error('batch norm ran no forward pass');
    return { y, mean, variance };
  }

  function silu<T extends tf.Tensor>(x: T): T {
    return withGradient<T>([x], (save) => {
      const s = tf.sigmoid(x);
      save(x, s);
      return {
        value: tf.mul<T>(x, s),
        // SigmoidGrad(s, x) = x·s·(1 - s) in one kernel.
        gradient: (dy, [input, sig]) => [
          tf.mul(
            dy,
            tf.add(
              sig as tf.Tensor,
              backend.executeSingleOutput(
                'SigmoidGrad',
                [floatType('T')],
                [sig as tf.Tensor, input as tf.Tensor],
              ),
            ),
          ),
        ],
      };
    });
  }

  return {
    ...portableOps,
    conv2dBias: withBias({ conv2d, silu }),
    batchNormTrain,
    batchNormSiluTrain: withSilu(batchNormTrain, silu),
    silu,
    ...(library ? libraryOps(backend) : {}),
  };
}

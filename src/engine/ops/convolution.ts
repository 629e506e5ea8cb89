import * as tf from '@tensorflow/tfjs-core';
import type { Conv2dOptions, EngineOps } from '../engine.ts';

const padded = (x: tf.Tensor4D, padding: number): tf.Tensor4D =>
  padding === 0
    ? x
    : tf.pad(x, [
        [0, 0],
        [padding, padding],
        [padding, padding],
        [0, 0],
      ]);

/**
 * Convolution with symmetric zero padding. At stride 1 with an odd filter the backends' SAME padding is symmetric;
 * everywhere else the input is padded first, since SAME at stride 2 pads one side only.
 */
export function conv2d(x: tf.Tensor4D, w: tf.Tensor4D, options: Conv2dOptions): tf.Tensor4D {
  const { stride, padding, groups = 1, dilation = 1 } = options;
  const [kh, kw, perGroup, out] = w.shape;
  const channels = x.shape[3];
  const same = stride === 1 && kh === kw && kh % 2 === 1 && padding === (dilation * (kh - 1)) / 2;
  const input = same ? x : padded(x, padding);
  const mode = same ? 'same' : 'valid';
  if (groups === 1) return tf.conv2d<tf.Tensor4D>(input, w, stride, mode, 'NHWC', dilation);
  if (groups === channels && perGroup === 1) {
    const filter = tf.reshape<tf.Rank.R4>(w, [kh, kw, channels, out / channels]);
    return tf.depthwiseConv2d<tf.Tensor4D>(input, filter, stride, mode, 'NHWC', dilation);
  }
  const inputs = tf.split<tf.Tensor4D>(input, groups, 3);
  const filters = tf.split<tf.Tensor4D>(w, groups, 3);
  return tf.concat<tf.Tensor4D>(
    inputs.map((part, g) =>
      tf.conv2d<tf.Tensor4D>(part, filters[g] as tf.Tensor4D, stride, mode, 'NHWC', dilation),
    ),
    3,
  );
}

/** A convolution, a bias and perhaps SiLU, for engines without a kernel that does all; intermediates are disposed. */
export const withBias =
  ({ conv2d: convolve, silu }: Pick<EngineOps, 'conv2d' | 'silu'>): EngineOps['conv2dBias'] =>
  (x, w, bias, options, activates) =>
    tf.tidy(() => {
      const y = tf.add<tf.Tensor4D>(convolve(x, w, options), bias);
      return activates ? silu(y) : y;
    });

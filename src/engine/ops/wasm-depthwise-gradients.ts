/**
 * The two gradients of a depthwise convolution, which the wasm backend lacks, composed of kernels that it has.
 * `wasm-kernels.ts` registers both.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Shape4 } from './wasm-convolution-gradients.ts';

export interface DepthwiseAttributes {
  readonly strides: number | [number, number];
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  readonly filterShape?: Shape4;
  readonly inputShape?: Shape4;
}

const infoOf = (inputShape: Shape4, filterShape: Shape4, attrs: DepthwiseAttributes) =>
  tf.backend_util.computeConv2DInfo(inputShape, filterShape, attrs.strides, 1, attrs.pad, undefined, true);

/** dW [kH,kW,C,M]: for each tap the sum over all places of the shifted input times dy. */
export function depthwiseFilterGradient(
  x: tf.Tensor4D,
  dy: tf.Tensor4D,
  filterShape: Shape4,
  attrs: DepthwiseAttributes,
): tf.Tensor4D {
  return tf.tidy(() => {
    const [kh, kw, channels, multiplier] = filterShape;
    const { strideHeight: sy, strideWidth: sx, padInfo } = infoOf(x.shape, filterShape, attrs);
    const [batch, oh, ow] = dy.shape;
    const [, h, w] = x.shape;
    const { top, left } = padInfo;
    // Whole strides behind the last tap, so that each tap's window is a slice cut into blocks.
    const whole = tf.pad(x, [
      [0, 0],
      [top, Math.max(0, kh - 1 + oh * sy - h - top)],
      [left, Math.max(0, kw - 1 + ow * sx - w - left)],
      [0, 0],
    ]);
    const rows = batch * oh * ow;
    const slopes = tf.reshape(dy, [rows, channels, multiplier]);
    const ones = tf.ones([1, rows]);
    const taps: tf.Tensor[] = [];
    for (let ky = 0; ky < kh; ky++) {
      for (let kx = 0; kx < kw; kx++) {
        const window = tf.slice(whole, [0, ky, kx, 0], [-1, oh * sy, ow * sx, -1]);
        const blocks = tf.slice(
          tf.reshape(window, [batch * oh, sy, ow, sx * channels]),
          [0, 0, 0, 0],
          [-1, 1, -1, channels],
        );
        const products = tf.mul(tf.reshape(blocks, [rows, channels, 1]), slopes);
        taps.push(tf.matMul(ones, tf.reshape(products, [rows, channels * multiplier])));
      }
    }
    return tf.reshape(tf.stack(taps), filterShape);
  });
}

/** Puts stride - 1 zeros after each pixel of y [B,H,W,C]. */
function spread(y: tf.Tensor4D, sy: number, sx: number): tf.Tensor4D {
  const [b, h, w, c] = y.shape;
  const wide = tf.pad(tf.reshape(y, [b * h * w, 1, c]), [
    [0, 0],
    [0, sx - 1],
    [0, 0],
  ]);
  const high = tf.pad(tf.reshape(wide, [b * h, 1, w * sx * c]), [
    [0, 0],
    [0, sy - 1],
    [0, 0],
  ]);
  return tf.reshape(high, [b, h * sy, w * sx, c]);
}

/** dX [B,H,W,C]: the spread dy under the flipped filter, one depthwise convolution for each multiple. */
export function depthwiseInputGradient(
  dy: tf.Tensor4D,
  filter: tf.Tensor4D,
  inputShape: Shape4,
  attrs: DepthwiseAttributes,
): tf.Tensor4D {
  return tf.tidy(() => {
    const [kh, kw, channels, multiplier] = filter.shape;
    const { strideHeight: sy, strideWidth: sx, padInfo } = infoOf(inputShape, filter.shape, attrs);
    const [batch, oh, ow] = dy.shape;
    const [, h, w] = inputShape;
    const { top, left } = padInfo;
    const flipped = tf.reverse(filter, [0, 1]);
    const slopes = tf.reshape(dy, [batch * oh * ow, channels, multiplier]);
    const parts = Array.from({ length: multiplier }, (_, m) => {
      const part = tf.slice(slopes, [0, 0, m], [-1, -1, 1]);
      const spaced = spread(tf.reshape<tf.Rank.R4>(part, [batch, oh, ow, channels]), sy, sx);
      const padded = tf.pad(spaced, [
        [0, 0],
        [kh - 1, Math.max(0, top + h - oh * sy)],
        [kw - 1, Math.max(0, left + w - ow * sx)],
        [0, 0],
      ]);
      const taps = tf.slice(flipped, [0, 0, 0, m], [-1, -1, -1, 1]);
      const whole = tf.depthwiseConv2d<tf.Tensor4D>(padded, taps, 1, 'valid');
      return tf.slice(whole, [0, top, left, 0], [-1, h, w, -1]);
    });
    return parts.length === 1 ? (parts[0] as tf.Tensor4D) : tf.addN(parts);
  });
}

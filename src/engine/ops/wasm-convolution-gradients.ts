/**
 * The two gradients of a convolution, composed of kernels that the wasm backend has and runs fast: it lacks
 * Conv2DBackpropFilter altogether, and its Conv2DBackpropInput is several times slower than a flipped convolution.
 * `wasm-kernels.ts` registers both.
 */
import * as tf from '@tensorflow/tfjs-core';

export type Shape4 = [number, number, number, number];

export interface ConvAttributes {
  readonly strides: number | [number, number];
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  readonly filterShape?: Shape4;
  readonly inputShape?: Shape4;
}

interface Geometry {
  readonly stride: number;
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

function geometry(inputShape: Shape4, filterShape: Shape4, attrs: ConvAttributes): Geometry {
  const info = tf.backend_util.computeConv2DInfo(inputShape, filterShape, attrs.strides, 1, attrs.pad);
  const { top, left, bottom, right } = info.padInfo;
  return { stride: info.strideHeight, top, left, bottom, right };
}

/**
 * Pixels (phaseY, phaseX) of every stride x stride block of x [B,H,W,C], H and W multiples of the stride:
 * [B, H/stride, W/stride, C].
 */
function phase(x: tf.Tensor4D, stride: number, phaseY: number, phaseX: number): tf.Tensor4D {
  if (stride === 1) return x;
  const [b, h, w, c] = x.shape;
  const blocks = tf.reshape(x, [(b * h) / stride, stride, w / stride, stride * c]);
  const part = tf.slice(blocks, [0, phaseY, 0, phaseX * c], [-1, 1, -1, c]);
  return tf.reshape(part, [b, h / stride, w / stride, c]);
}

/** dW [kH,kW,I,O]: one matrix product a tap, between the shifted input and dy. */
export function convolutionFilterGradient(
  x: tf.Tensor4D,
  dy: tf.Tensor4D,
  filterShape: Shape4,
  attrs: ConvAttributes,
): tf.Tensor4D {
  return tf.tidy(() => {
    const { stride, top, left, bottom, right } = geometry(x.shape, filterShape, attrs);
    const [kh, kw, input, output] = filterShape;
    const [, oh, ow] = dy.shape;
    const [, h, w] = x.shape;
    // Enough padding that every phase is as high and wide as the last tap needs, in whole blocks.
    const rows = Math.ceil(Math.max(h + top + bottom, (oh - 1) * stride + kh) / stride) * stride;
    const columns = Math.ceil(Math.max(w + left + right, (ow - 1) * stride + kw) / stride) * stride;
    const whole: tf.Tensor4D =
      rows === h && columns === w
        ? x
        : tf.pad(x, [
            [0, 0],
            [top, rows - h - top],
            [left, columns - w - left],
            [0, 0],
          ]);
    const dyRows = tf.reshape(dy, [-1, output]);
    const taps: tf.Tensor[] = [];
    for (let ky = 0; ky < kh; ky++) {
      for (let kx = 0; kx < kw; kx++) {
        taps.push(
          tf.tidy(() => {
            const source = phase(whole, stride, ky % stride, kx % stride);
            const start: Shape4 = [0, Math.floor(ky / stride), Math.floor(kx / stride), 0];
            const window = tf.slice(source, start, [-1, oh, ow, -1]);
            return tf.matMul(tf.transpose(tf.reshape(window, [-1, input])), dyRows);
          }),
        );
      }
    }
    return tf.reshape(tf.stack(taps), filterShape);
  });
}

/** Weaves phases back: the inverse of `phase` over all of them, in row-major order of (phaseY, phaseX). */
function weave(phases: readonly tf.Tensor4D[], stride: number): tf.Tensor4D {
  const first = phases[0];
  if (first === undefined || stride === 1) return first as tf.Tensor4D;
  const [b, h, w, c] = first.shape;
  const lines = Array.from({ length: stride }, (_, r) => {
    const parts = phases.slice(r * stride, (r + 1) * stride).map((p) => tf.reshape(p, [b * h, w, c]));
    return tf.reshape(tf.concat(parts, 2), [b * h, 1, w * stride * c]);
  });
  return tf.reshape(tf.concat(lines, 1), [b, h * stride, w * stride, c]);
}

/** dX [B,H,W,I]: for each phase of the input a plain convolution of dy with the flipped taps that reach it. */
export function convolutionInputGradient(
  dy: tf.Tensor4D,
  w: tf.Tensor4D,
  inputShape: Shape4,
  attrs: ConvAttributes,
): tf.Tensor4D {
  return tf.tidy(() => {
    const [kh, kw, input, output] = w.shape;
    const { stride, top, left, bottom, right } = geometry(inputShape, w.shape, attrs);
    const [, oh, ow] = dy.shape;
    const [b, h, width] = inputShape;
    const rows = Math.ceil(Math.max(h + top + bottom, (oh - 1) * stride + kh) / stride);
    const columns = Math.ceil(Math.max(width + left + right, (ow - 1) * stride + kw) / stride);
    const flipped = tf.transpose(tf.reverse(w, [0, 1]), [0, 1, 3, 2]); // [kH, kW, O, I]
    const taps = (k: number, r: number): number[] =>
      Array.from({ length: k }, (_, i) => i).filter((i) => (k - 1 - i) % stride === r);
    const phases: tf.Tensor4D[] = [];
    for (let py = 0; py < stride; py++) {
      for (let px = 0; px < stride; px++) {
        const ys = taps(kh, py);
        const xs = taps(kw, px);
        if (ys.length === 0 || xs.length === 0) {
          phases.push(tf.zeros([b, rows, columns, input]));
          continue;
        }
        const part = tf.tidy(() => {
          let filter: tf.Tensor = flipped;
          if (stride > 1)
            filter = tf.gather(tf.gather(flipped, tf.tensor1d(ys, 'int32'), 0), tf.tensor1d(xs, 'int32'), 1);
          const shaped = tf.reshape<tf.Rank.R4>(filter, [ys.length, xs.length, output, input]);
          const spread = tf.pad(dy, [
            [0, 0],
            [ys.length - 1, rows - oh],
            [xs.length - 1, columns - ow],
            [0, 0],
          ]);
          return tf.conv2d(spread, shaped, 1, 'valid');
        });
        phases.push(part);
      }
    }
    const whole = weave(phases, stride);
    return tf.slice(whole, [0, top, left, 0], [-1, h, width, -1]);
  });
}

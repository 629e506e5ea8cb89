/**
 * The two gradients of a convolution, composed of kernels that the wasm backend has and runs fast: it lacks
 * Conv2DBackpropFilter altogether, and its Conv2DBackpropInput is several times slower than a flipped convolution.
 * `wasm-kernels.ts` registers both.
 */
import * as tf from '@tensorflow/tfjs-core';
import { writeColumns } from './wasm-columns.ts';
import type { NumberArray, WasmBackend } from './wasm-heap.ts';

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

/** Elements of the largest matrix of columns: images beyond it come in turns. */
const MOST_COLUMNS = 4e6;

/** dW [kH,kW,I,O]: the product of the input's windows, a row a tap, with dy. */
export function convolutionFilterGradient(
  x: tf.Tensor4D,
  dy: tf.Tensor4D,
  filterShape: Shape4,
  attrs: ConvAttributes,
): tf.Tensor4D {
  return tf.tidy(() => {
    const { stride, top, left } = geometry(x.shape, filterShape, attrs);
    const [filterHeight, filterWidth, channels, output] = filterShape;
    const [batch, height, width] = x.shape;
    const [, rows, columns] = dy.shape;
    const taps = filterHeight * filterWidth * channels;
    const dyRows = tf.reshape<tf.Rank.R2>(dy, [-1, output]);
    if (filterHeight * filterWidth === 1 && stride === 1 && top === 0 && left === 0 && rows === height)
      return tf.reshape(tf.matMul(tf.transpose(tf.reshape(x, [-1, channels])), dyRows), filterShape);
    const pixels = rows * columns;
    const most = Math.max(1, Math.floor(MOST_COLUMNS / (taps * pixels)));
    const backend = tf.backend() as unknown as WasmBackend;
    const window = { height, width, channels, filterHeight, filterWidth, stride, top, left, rows, columns };
    let sum: tf.Tensor | undefined;
    for (let first = 0; first < batch; first += most) {
      const images = Math.min(most, batch - first);
      sum = tf.tidy(() => {
        const matrix = tf
          .engine()
          .makeTensorFromTensorInfo(backend.makeOutput([taps, images * pixels], 'float32'));
        writeColumns(
          backend.typedArrayFromHeap(x),
          window,
          first,
          images,
          backend.typedArrayFromHeap(matrix),
        );
        const part = tf.matMul(matrix, tf.slice(dyRows, [first * pixels, 0], [images * pixels, output]));
        return sum === undefined ? part : tf.add(sum, part);
      });
    }
    return tf.reshape(sum ?? tf.zeros([taps, output]), filterShape);
  });
}

/**
 * Weaves images [B,h,w,C] of every phase (y, x) of stride x stride blocks, in row-major order, into one
 * [B, h·stride, w·stride, C].
 */
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

/** A tensor whose values are still to be written. */
const newTensor = (shape: Shape4): tf.Tensor4D =>
  tf
    .engine()
    .makeTensorFromTensorInfo(
      (tf.backend() as unknown as WasmBackend).makeOutput(shape, 'float32'),
    ) as tf.Tensor4D;

/** Writes the transpose of the matrix [rows, columns] at `from[at]` to `to[place]`. */
function transpose(
  from: NumberArray,
  at: number,
  [rows, columns]: readonly [number, number],
  to: NumberArray,
  place: number,
): void {
  for (let column = 0; column < columns; column++)
    for (let row = 0; row < rows; row++) to[place++] = from[at + row * columns + column] ?? 0;
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
    const backend = tf.backend() as unknown as WasmBackend;
    const [, oh, ow] = dy.shape;
    const [b, h, width] = inputShape;
    const rows = Math.ceil(Math.max(h + top + bottom, (oh - 1) * stride + kh) / stride);
    const columns = Math.ceil(Math.max(width + left + right, (ow - 1) * stride + kw) / stride);
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
          const turned = newTensor([ys.length, xs.length, output, input]);
          const values = backend.typedArrayFromHeap(w);
          const into = backend.typedArrayFromHeap(turned);
          ys.forEach((y, row) =>
            xs.forEach((x, column) =>
              transpose(
                values,
                ((kh - 1 - y) * kw + kw - 1 - x) * input * output,
                [input, output],
                into,
                (row * xs.length + column) * input * output,
              ),
            ),
          );
          const spread = tf.pad(dy, [
            [0, 0],
            [ys.length - 1, rows - oh],
            [xs.length - 1, columns - ow],
            [0, 0],
          ]);
          return tf.conv2d(spread, turned, 1, 'valid');
        });
        phases.push(part);
      }
    }
    const whole = weave(phases, stride);
    return tf.slice(whole, [0, top, left, 0], [-1, h, width, -1]);
  });
}

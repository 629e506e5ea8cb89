/** Operations written in tfjs-core alone: right on every backend, and the base that faster engines override. */
import * as tf from '@tensorflow/tfjs-core';
import type { BatchNormResult, EngineOps } from '../engine.ts';
import { withGradient } from '../custom-gradient.ts';
import { withSilu } from './batch-norm-silu.ts';
import { conv2d, withBias } from './convolution.ts';

/** Sums x [B,H,W,C] over B, H, W in two passes: as exact as a pairwise sum, and fast as a matrix product. */
export function channelSums(x: tf.Tensor4D): tf.Tensor1D {
  const [b, h, w, c] = x.shape;
  return tf.tidy(() => {
    const rows = tf.matMul(tf.ones([b * h, 1, w]), tf.reshape(x, [b * h, w, c])); // [B*H, 1, C]
    return tf.reshape(tf.matMul(tf.ones([1, b * h]), tf.reshape(rows, [b * h, c])), [c]);
  });
}

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
    const centred = tf.sub<tf.Tensor4D>(x, mu);
    const biased = tf.div<tf.Tensor1D>(channelSums(tf.square(centred)), n);
    const inverse = tf.rsqrt(tf.add(biased, epsilon));
    mean = tf.keep(tf.clone(mu));
    variance = tf.keep(tf.mul<tf.Tensor1D>(biased, n / Math.max(n - 1, 1)));
    const normalised = tf.mul<tf.Tensor4D>(centred, inverse);
    save(normalised, gamma, inverse);
    return {
      value: tf.add(tf.mul(normalised, gamma), beta),
      gradient: (dy, [xhat, g, inv]) => {
        // dx = gamma * inv * (dy - mean(dy) - xhat * mean(dy * xhat)); Ioffe & Szegedy 2015, section 3.
        const dBeta = channelSums(dy);
        const dGamma = channelSums(tf.mul(dy, xhat as tf.Tensor4D));
        const inner = tf.sub(tf.sub(dy, tf.div(dBeta, n)), tf.mul(xhat as tf.Tensor4D, tf.div(dGamma, n)));
        const scale = tf.mul(g as tf.Tensor1D, inv as tf.Tensor1D);
        return [tf.mul(inner, scale), dGamma, dBeta];
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
      // d/dx x·s = s + x·s·(1 - s)
      gradient: (dy, [input, sig]) => {
        const sx = sig as tf.Tensor;
        return [tf.mul(dy, tf.mul(sx, tf.add(tf.mul(input as tf.Tensor, tf.sub(1, sx)), 1)))];
      },
    };
  });
}

function maxPool(x: tf.Tensor4D, k: number, stride: number): tf.Tensor4D {
  // At stride 1 SAME is symmetric for odd k, and padded cells never win on any backend.
  if (stride === 1 && k % 2 === 1) return tf.maxPool(x, k, 1, 'same');
  const p = k >> 1;
  const padded = tf.pad(
    x,
    [
      [0, 0],
      [p, p],
      [p, p],
      [0, 0],
    ],
    -Infinity,
  );
  return tf.maxPool(padded, k, stride, 'valid');
}

/** x as rows, each of them twice in a row: a concatenation, which every backend does faster than a tile. */
const twice = (x: tf.Tensor, shape: [number, number]): tf.Tensor => {
  const rows = tf.reshape<tf.Rank.R2>(x, shape);
  return tf.concat([rows, rows], 1);
};

function upsample2(x: tf.Tensor4D): tf.Tensor4D {
  const [b, h, w, c] = x.shape;
  return withGradient<tf.Tensor4D>([x], () => ({
    value: tf.reshape(twice(twice(x, [b * h * w, c]), [b * h, 2 * w * c]), [b, 2 * h, 2 * w, c]),
    gradient: (dy) => {
      // The transpose of the enlargement: sums over each 2x2 block.
      const pairs = tf.reshape(dy, [b * h, 2, w, 2 * c]);
      const rows = tf.add(
        tf.slice(pairs, [0, 0, 0, 0], [-1, 1, -1, -1]),
        tf.slice(pairs, [0, 1, 0, 0], [-1, 1, -1, -1]),
      );
      const left = tf.slice(rows, [0, 0, 0, 0], [-1, -1, -1, c]);
      const right = tf.slice(rows, [0, 0, 0, c], [-1, -1, -1, c]);
      return [tf.reshape(tf.add(left, right), [b, h, w, c])];
    },
  }));
}

function gatherRows(x: tf.Tensor2D, indices: Int32Array): tf.Tensor2D {
  const [n, c] = x.shape;
  if (indices.length === 0) return tf.slice(x, [0, 0], [0, c]);
  return withGradient<tf.Tensor2D>([x], () => ({
    value: tf.gather(x, tf.tensor1d(indices, 'int32')),
    gradient: (dy) => [tf.scatterND(tf.tensor2d(indices, [indices.length, 1], 'int32'), dy, [n, c])],
  }));
}

function unpack(flat: tf.Tensor1D, shapes: readonly (readonly number[])[]): tf.Tensor[] {
  const [only, ...others] = shapes;
  // tfjs-core cannot differentiate a split into one.
  if (only !== undefined && others.length === 0) return [tf.reshape(flat, [...only])];
  const sizes = shapes.map((shape) => tf.util.sizeFromShape([...shape]));
  return tf.tidy(() => tf.split(flat, sizes).map((part, i) => tf.reshape(part, [...(shapes[i] ?? [])])));
}

function sigmoidCrossEntropy<T extends tf.Tensor>(logits: T, targets: T): T {
  return withGradient<T>([logits], (save) => {
    save(logits, targets);
    // max(x,0) - x·t + ln(1 + e^-|x|), which neither overflows nor cancels.
    const value = tf.add<T>(
      tf.sub(tf.relu(logits), tf.mul(logits, targets)),
      tf.log1p(tf.exp(tf.neg(tf.abs(logits)))),
    );
    return {
      value,
      gradient: (dy, [x, t]) => [tf.mul(dy, tf.sub(tf.sigmoid(x as tf.Tensor), t as tf.Tensor))],
    };
  });
}

/** The operations of every engine that has no faster form of its own. */
export const portableOps: EngineOps = {
  conv2d,
  conv2dBias: withBias({ conv2d, silu }),
  batchNormTrain,
  batchNormSiluTrain: withSilu(batchNormTrain, silu),
  silu,
  maxPool,
  upsample2,
  gatherRows,
  unpack,
  sigmoidCrossEntropy,
};

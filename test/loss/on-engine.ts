/** The engine of the loss tests, and the changes of layout between them and the reference's tensors. */
import * as tf from '@tensorflow/tfjs-core';
import type { EngineName } from '../../src/engine/engine.ts';
import { openEngine } from '../../src/engine/select.ts';
import type { Gains, LossContext, LossTarget } from '../../src/loss/loss.ts';
import type { Forward } from '../../src/model/detector.ts';
import { headSpec } from './head-spec.ts';

/** wasm is there on every machine; SOFTSHARD_TEST_ENGINE runs the same tests on another one. */
const name = (process.env['SOFTSHARD_TEST_ENGINE'] ?? 'wasm') as EngineName;

export const { ops } = (await openEngine(name)).engine;

export { headSpec };

export const contextOf = (nc: number, gains: Gains): LossContext => ({
  ops,
  head: headSpec(nc),
  gains,
  adapt: (_pair, feature) => tf.clone(feature),
});

/** Reads [B, na, ny, nx, no] data as a head in grid layout. */
export const gridHead = (data: Float32Array, shape: readonly number[]): tf.Tensor5D =>
  tf.tidy(() =>
    tf.transpose(tf.tensor5d(data, shape as [number, number, number, number, number]), [0, 2, 3, 1, 4]),
  );

/** Values of a head in grid layout as [B, na, ny, nx, no] data. */
export const torchData = (head: tf.Tensor): Float32Array =>
  tf.tidy(() => tf.transpose(head, [0, 3, 1, 2, 4]).dataSync() as Float32Array);

export const forwardOf = (heads: readonly tf.Tensor5D[]): Forward => ({ heads, features: new Map() });

export const targetOf = (
  labels: Float32Array,
  labelled: readonly boolean[],
  heads?: readonly tf.Tensor5D[],
): LossTarget => ({
  labels,
  labelled,
  ...(heads === undefined ? {} : { teacher: { heads } }),
});

export const allLabelled = (batch: number): boolean[] => new Array<boolean>(batch).fill(true);

/** |actual - expected| relative to expected. */
export const relativeError = (actual: number, expected: number): number =>
  Math.abs(actual - expected) / Math.abs(expected);

/** The largest absolute difference of two arrays of equal length. */
export function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs((actual[i] ?? NaN) - (expected[i] ?? NaN));
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

/** Sum of all elements' absolute values. */
export const absoluteSum = (data: ArrayLike<number>): number =>
  Array.from(data).reduce((sum, value) => sum + Math.abs(value), 0);

export const valueOf = (x: tf.Tensor | undefined): number => x?.dataSync()[0] ?? NaN;

/** Compares one operation of an engine, and its gradients, with float64 loops and their finite differences. */
import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { drawKey, uniform } from '../../src/random/keyed.ts';
import { dense, type Dense } from './engine-reference.ts';

export interface Operation {
  /** Values are whole float32 numbers, so that both sides begin with the same. */
  readonly inputs: readonly Dense[];
  /** How many of the inputs, from the first, are differentiable; all by default. */
  readonly differentiable?: number;
  readonly reference: (inputs: readonly Dense[]) => Dense;
  readonly run: (inputs: readonly tf.Tensor[]) => tf.Tensor;
  /** Half the distance of the finite differences. */
  readonly step: number;
}

const TOLERANCE = 2e-5;

const shapeOf = ({ shape }: Dense): number[] => [...shape];

/** An input of float32 numbers in [low, high), drawn by `name`. */
export const drawn = (shape: readonly number[], name: string, low = -1, high = 1): Dense => {
  const key = drawKey(1, name);
  const x = dense(shape);
  for (let i = 0; i < x.data.length; i++) x.data[i] = Math.fround(uniform(key, i, low, high));
  return x;
};

/** Weights of the sum that is differentiated: none equal, so that swapped elements show. */
const probe = (shape: readonly number[]): Dense => drawn(shape, 'probe');

const weightedSum = (y: Dense, weights: Dense): number =>
  y.data.reduce((sum, value, i) => sum + value * (weights.data[i] ?? 0), 0);

interface Outcome {
  readonly shape: readonly number[];
  readonly arrays: readonly Float32Array[];
}

const floats = (x: tf.Tensor): Float32Array => Float32Array.from(x.dataSync());

/** The value of an operation and the gradients of its weighted sum. */
const compute = ({ inputs, run, differentiable = inputs.length }: Operation): Outcome =>
  tf.tidy(() => {
    const tensors = inputs.map((x) => tf.tensor(Float32Array.from(x.data), shapeOf(x)));
    const y = run(tensors);
    const fixed = tensors.slice(differentiable);
    const weights = tf.tensor(Float32Array.from(probe(y.shape).data), y.shape);
    const gradients =
      differentiable === 0
        ? []
        : tf.grads((...free: tf.Tensor[]) => tf.sum(tf.mul(run([...free, ...fixed]), weights)))(
            tensors.slice(0, differentiable),
          );
    return { shape: y.shape, arrays: [y, ...gradients].map(floats) };
  });

/** What `compute` should give, by the reference and central differences. Independent of the engine. */
const expect = ({ inputs, reference, step, differentiable = inputs.length }: Operation): Dense[] => {
  const y = reference(inputs);
  const weights = probe(y.shape);
  const gradients = inputs.slice(0, differentiable).map((x, position) => {
    const gradient = dense(x.shape);
    for (let i = 0; i < x.data.length; i++) {
      const moved = (delta: number): number => {
        const copy = dense(x.shape, x.data);
        copy.data[i] = (copy.data[i] ?? 0) + delta;
        return weightedSum(reference(inputs.map((other, p) => (p === position ? copy : other))), weights);
      };
      gradient.data[i] = (moved(step) - moved(-step)) / (2 * step);
    }
    return gradient;
  });
  return [y, ...gradients];
};

/** Asserts that float32 values agree with the float64 ones, relative to the largest of these. */
export const assertClose = (actual: Float32Array, expected: Dense, what: string): void => {
  assert.equal(actual.length, expected.data.length, `${what}: number of elements`);
  const scale = expected.data.reduce((largest, v) => Math.max(largest, Math.abs(v)), 1);
  actual.forEach((value, i) => {
    const difference = Math.abs(value - (expected.data[i] ?? Number.NaN));
    assert.ok(
      difference <= TOLERANCE * scale,
      `${what}[${i}] is ${value}, not ${expected.data[i] ?? Number.NaN} (largest magnitude ${scale})`,
    );
  });
};

const bits = (x: Float32Array): Buffer => Buffer.from(x.buffer, x.byteOffset, x.byteLength);

/** Asserts value, gradients, equal bits of two runs, and that no tensor is left. */
export const checkOperation = (operation: Operation): void => {
  const before = tf.memory().numTensors;
  const first = compute(operation);
  const second = compute(operation);
  assert.equal(tf.memory().numTensors, before, 'tensors are left');
  const expected = expect(operation);
  assert.deepEqual(first.shape, expected[0]?.shape, 'the shape');
  for (const [i, actual] of first.arrays.entries()) {
    const what = i === 0 ? 'value' : `gradient of input ${i - 1}`;
    assertClose(actual, expected[i] ?? dense([0]), what);
    assert.ok(bits(actual).equals(bits(second.arrays[i] ?? new Float32Array())), `${what}: two runs differ`);
  }
};

/** The conformance suite of engines. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import type { EngineName } from '../../src/engine/engine.ts';
import { describeEngines, openEngine } from '../../src/engine/select.ts';
import { drawKey } from '../../src/random/keyed.ts';
import { permutation } from '../../src/random/permutation.ts';
import { assertClose, checkOperation, drawn } from './engine-operation.ts';
import {
  batchNorm,
  convolution,
  dense,
  gatherRows,
  maxPool,
  sigmoidCrossEntropy,
  silu,
  upsample2,
  type Dense,
} from './engine-reference.ts';

const numRuns = process.env['SOFTSHARD_TEST_LONG'] === undefined ? 30 : 300;

/** Runs a check over shapes: the same ones on every engine and at every time. */
const overShapes = <T>(shapes: fc.Arbitrary<T>, check: (shape: T) => void): void =>
  fc.assert(fc.property(shapes, check), { numRuns, seed: 1 });

const side = fc.integer({ min: 1, max: 7 });
const image = fc.tuple(fc.integer({ min: 1, max: 2 }), side, side, fc.integer({ min: 1, max: 3 }));
const part = (xs: readonly Dense[], i: number): Dense => xs[i] ?? dense([0]);

/** Values that are all distinct by more than the step of a finite difference. */
const untied = (shape: readonly number[], top: number): Dense => {
  const x = dense(shape);
  const order = permutation(drawKey(1, 'untied'), x.data.length);
  order.forEach((rank, i) => (x.data[i] = Math.fround(top - rank / 64)));
  return x;
};

/** Every operation of an engine and its gradients, against float64 loops. One engine a process. */
export const testEngine = async (name: EngineName): Promise<void> => {
  const description = describeEngines().find((candidate) => candidate.name === name);
  if (description?.available !== true) {
    test(`engine ${name}`, { skip: description?.reason ?? 'no such engine' });
    return;
  }
  const { ops, info } = (await openEngine(name)).engine;
  describe(`engine ${name}`, () => {
    const checkConvolution = (
      [b, h, w, i]: readonly [number, number, number, number],
      [kh, kw, perGroup, o]: readonly [number, number, number, number],
      options: { stride: number; padding: number; groups: number; dilation: number },
      differentiable = 2,
    ): void =>
      checkOperation({
        inputs: [drawn([b, h, w, i], 'x'), drawn([kh, kw, perGroup, o], 'w')],
        differentiable,
        reference: (xs) => convolution(part(xs, 0), part(xs, 1), options),
        run: ([x, filter]) => ops.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, options),
        step: 0.5,
      });

    test('conv2d: strides, kernels, odd sizes, one channel', () => {
      const cases = fc.tuple(
        image,
        fc.constantFrom(1, 3, 5, 6),
        fc.constantFrom(1, 2),
        fc.integer({ min: 1, max: 4 }),
      );
      overShapes(cases, ([[b, h, w, i], k, stride, o]) => {
        const padding = k === 6 ? 2 : k >> 1;
        const least = Math.max(1, k - 2 * padding);
        checkConvolution([b, Math.max(h, least), Math.max(w, least), i], [k, k, i, o], {
          stride,
          padding,
          groups: 1,
          dilation: 1,
        });
      });
    });

    test('conv2d: groups and depthwise', () => {
      const cases = fc.tuple(
        image,
        fc.constantFrom(1, 3, 5),
        fc.constantFrom(1, 2),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 2 }),
        fc.integer({ min: 1, max: 2 }),
      );
      overShapes(cases, ([[b, h, w], k, stride, groups, perGroup, multiplier]) =>
        checkConvolution([b, h, w, groups * perGroup], [k, k, perGroup, groups * multiplier], {
          stride,
          padding: k >> 1,
          groups,
          dilation: 1,
        }),
      );
    });

    // tfjs-core differentiates no dilated convolution, on any backend.
    test('conv2d: dilation, forward', () => {
      checkConvolution([1, 7, 6, 2], [3, 3, 2, 2], { stride: 1, padding: 2, groups: 1, dilation: 2 }, 0);
    });

    test('batchNormTrain: value, gradients and statistics', () => {
      overShapes(image, ([b, h, w, c]) => {
        const shape = [b, h, w + 1, c]; // At least two pixels.
        const inputs = [drawn(shape, 'x', -2, 3), drawn([c], 'gamma', 0.5, 2), drawn([c], 'beta')];
        const expected = batchNorm(part(inputs, 0), part(inputs, 1), part(inputs, 2), 1e-3);
        checkOperation({
          inputs,
          reference: (xs) => batchNorm(part(xs, 0), part(xs, 1), part(xs, 2), 1e-3)[0],
          run: ([x, gamma, beta]) => {
            const result = ops.batchNormTrain(
              x as tf.Tensor4D,
              gamma as tf.Tensor1D,
              beta as tf.Tensor1D,
              1e-3,
            );
            assertClose(Float32Array.from(result.mean.dataSync()), expected[1], 'mean');
            assertClose(Float32Array.from(result.variance.dataSync()), expected[2], 'variance');
            tf.dispose([result.mean, result.variance]);
            return result.y;
          },
          step: 1e-4,
        });
      });
    });

    test('silu', () => {
      overShapes(image, (shape) =>
        checkOperation({
          inputs: [drawn(shape, 'x', -20, 20)],
          reference: (xs) => silu(part(xs, 0)),
          run: ([x]) => ops.silu(x as tf.Tensor),
          step: 1e-4,
        }),
      );
    });

    test('maxPool: also where every value is negative', () => {
      const cases = fc.tuple(
        image,
        fc.constantFrom(1, 2, 3, 5, 9, 13),
        fc.constantFrom(1, 2),
        fc.constantFrom(-1, 0.5, 20),
      );
      overShapes(cases, ([shape, k, stride, top]) =>
        checkOperation({
          inputs: [untied(shape, top)],
          reference: (xs) => maxPool(part(xs, 0), k, stride),
          run: ([x]) => ops.maxPool(x as tf.Tensor4D, k, stride),
          step: 1 / 256,
        }),
      );
    });

    test('upsample2', () => {
      overShapes(image, (shape) =>
        checkOperation({
          inputs: [drawn(shape, 'x')],
          reference: (xs) => upsample2(part(xs, 0)),
          run: ([x]) => ops.upsample2(x as tf.Tensor4D),
          step: 0.5,
        }),
      );
    });

    test('gatherRows: repeated, missing and no indices', () => {
      const cases = fc
        .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 5 }))
        .chain(([n, c]) =>
          fc.tuple(
            fc.constant([n, c] as const),
            fc.array(fc.integer({ min: 0, max: n - 1 }), { maxLength: 12 }),
          ),
        );
      overShapes(cases, ([shape, rows]) => {
        const indices = Int32Array.from(rows);
        checkOperation({
          inputs: [drawn(shape, 'x')],
          reference: (xs) => gatherRows(part(xs, 0), indices),
          run: ([x]) => ops.gatherRows(x as tf.Tensor2D, indices),
          step: 0.5,
        });
      });
    });

    test('sigmoidCrossEntropy: also far from zero', () => {
      overShapes(image, (shape) =>
        checkOperation({
          inputs: [drawn(shape, 'x', -30, 30), drawn(shape, 'targets', 0, 1)],
          differentiable: 1,
          reference: (xs) => sigmoidCrossEntropy(part(xs, 0), part(xs, 1)),
          run: ([x, t]) => ops.sigmoidCrossEntropy(x as tf.Tensor, t as tf.Tensor),
          step: 1e-4,
        }),
      );
    });

    test('says what it is', () => {
      assert.equal(info.name, name);
      assert.equal(info.tfjs, tf.version_core);
      assert.ok(info.threads >= 1);
    });
  });
};

/** The conformance suite of engines. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import type { EngineName } from '../../src/engine/engine.ts';
import { ACTIVATIONS, activate } from '../../src/model/activation.ts';
import { squeezeExcitation as squeezeModule } from '../../src/model/modules/squeeze-excitation.ts';
import type { Scope } from '../../src/model/module.ts';
import { describeEngines, openEngine } from '../../src/engine/select.ts';
import { drawKey } from '../../src/random/keyed.ts';
import { permutation } from '../../src/random/permutation.ts';
import { assertClose, checkOperation, drawn } from './engine-operation.ts';
import {
  activation as activationReference,
  batchNorm,
  batchNormGradient,
  convolution,
  convolutionGradients,
  dense,
  gatherRows,
  maxPool,
  sigmoidCrossEntropy,
  silu,
  siluGradient,
  squeezeExcitation,
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

    test('conv2d: more channels and pixels than are computed at once', () => {
      for (const [b, h, w, i, k, o, stride] of [
        [2, 9, 8, 3, 6, 9, 2],
        [1, 7, 31, 17, 3, 40, 1],
        [2, 8, 7, 20, 3, 125, 2],
        [3, 5, 4, 5, 1, 255, 1],
        [1, 4, 3, 128, 3, 64, 1],
        [1, 5, 5, 8, 1, 16, 2],
        [1, 90, 61, 2, 3, 8, 1],
      ] as const) {
        const padding = k === 6 ? 2 : k >> 1;
        const options = { stride, padding, groups: 1, dilation: 1 };
        const inputs = [drawn([b, h, w, i], 'x'), drawn([k, k, i, o], 'w')] as const;
        const y = convolution(...inputs, options);
        const dy = drawn(y.shape, 'dy');
        const once = (): Float32Array[] =>
          tf.tidy(() => {
            const tensors = [...inputs, dy].map((d) => tf.tensor(Float32Array.from(d.data), [...d.shape]));
            const [x, filter, weights] = tensors as [tf.Tensor4D, tf.Tensor4D, tf.Tensor];
            const run = (image: tf.Tensor, by: tf.Tensor): tf.Tensor =>
              ops.conv2d(image as tf.Tensor4D, by as tf.Tensor4D, options);
            const gradients = tf.grads((...xs: tf.Tensor[]) =>
              tf.sum(tf.mul(run(...(xs as [tf.Tensor, tf.Tensor])), weights)),
            )([x, filter]);
            return [run(x, filter), ...gradients].map((t) => Float32Array.from(t.dataSync()));
          });
        const [first, second] = [once(), once()];
        assert.deepEqual(first, second, 'two runs differ');
        [y, ...convolutionGradients(...inputs, dy, options)].forEach((values, at) => {
          const what = `${[b, h, w, i, k, o, stride].join(' ')}: ${at === 0 ? 'value' : `gradient of input ${at - 1}`}`;
          assertClose(first[at] ?? new Float32Array(), values, what);
        });
      }
    });

    test('conv2dBias: with SiLU, and without, then with gradients', () => {
      for (const silus of [false, true])
        for (const [i, k, o, stride, groups] of [
          [3, 6, 16, 2, 1],
          [16, 1, 25, 1, 1],
          [4, 3, 9, 1, 1],
          [4, 3, 4, 1, 4],
        ] as const) {
          const options = { stride, padding: k === 6 ? 2 : k >> 1, groups, dilation: 1 };
          checkOperation({
            inputs: [drawn([1, 4, 5, i], 'x'), drawn([k, k, i / groups, o], 'w'), drawn([o], 'b', -9, 9)],
            differentiable: silus ? 0 : 3,
            step: 0.5,
            reference: ([x, w, bias]) => {
              const y = convolution(x as Dense, w as Dense, options);
              y.data.forEach((value, at) => (y.data[at] = value + (bias?.data[at % o] ?? 0)));
              return silus ? silu(y) : y;
            },
            run: ([x, w, bias]) =>
              ops.conv2dBias(x as tf.Tensor4D, w as tf.Tensor4D, bias as tf.Tensor1D, options, silus),
          });
        }
    });

    for (const [operation, activation] of [
      ['batchNormTrain', (y: Dense) => y],
      ['batchNormSiluTrain', silu],
    ] as const) {
      const run = (xs: readonly tf.Tensor[], expected?: readonly Dense[]): tf.Tensor => {
        const [x, gamma, beta] = xs as [tf.Tensor4D, tf.Tensor1D, tf.Tensor1D];
        const { y, mean, variance } = ops[operation](x, gamma, beta, 1e-3);
        if (expected !== undefined) {
          assertClose(Float32Array.from(mean.dataSync()), part(expected, 1), 'mean');
          assertClose(Float32Array.from(variance.dataSync()), part(expected, 2), 'variance');
        }
        tf.dispose([mean, variance]);
        return y;
      };
      const drawInputs = (shape: readonly number[], c: number): Dense[] => [
        drawn(shape, 'x', -2, 3),
        drawn([c], 'gamma', 0.5, 2),
        drawn([c], 'beta'),
      ];
      const check = (shape: readonly [number, number, number, number]): void => {
        const inputs = drawInputs(shape, shape[3]);
        const reference = (xs: readonly Dense[]): [Dense, Dense, Dense] =>
          batchNorm(part(xs, 0), part(xs, 1), part(xs, 2), 1e-3);
        const expected = reference(inputs);
        checkOperation({
          inputs,
          reference: (xs) => activation(reference(xs)[0]),
          run: (xs) => run(xs, expected),
          step: 1e-4,
        });
      };

      test(`${operation}: value, gradients and statistics`, () => {
        // At least two pixels: of one the normalised value is 0, and a difference of it all rounding.
        overShapes(image, ([b, h, w, c]) => check([b, h, w + 1, c]));
      });

      test(`${operation}: channel counts`, () => {
        for (const c of [1, 3, 8, 17, 128, 300]) check([1, 1, c < 100 ? 11 : 2, c]);
        check([2, 3, 5, 16]);
      });

      test(`${operation}: one pixel`, () => {
        for (const c of [1, 8, 17]) check([1, 1, 1, c]);
      });

      test(`${operation}: more pixels than are summed at once`, () => {
        for (const shape of [
          [2, 151, 149, 1],
          [2, 61, 67, 8],
          [1, 53, 59, 17],
          [1, 13, 11, 300],
        ] as const) {
          const inputs = drawInputs(shape, shape[3]);
          const [x, gamma, beta] = inputs as [Dense, Dense, Dense];
          const dy = drawn(shape, 'dy');
          const once = (): Float32Array[] =>
            tf.tidy(() => {
              const tensors = [...inputs, dy].map((d) => tf.tensor(Float32Array.from(d.data), [...d.shape]));
              const [weights] = tensors.splice(3) as [tf.Tensor];
              const gradients = tf.grads((...xs: tf.Tensor[]) => tf.sum(tf.mul(run(xs), weights)))(tensors);
              const y = run(tensors, batchNorm(x, gamma, beta, 1e-3));
              return [y, ...gradients].map((t) => Float32Array.from(t.dataSync()));
            });
          const before = tf.memory().numTensors;
          const [first, second] = [once(), once()];
          assert.equal(tf.memory().numTensors, before, 'tensors are left');
          assert.deepEqual(first, second, 'two runs differ');
          const z = batchNorm(x, gamma, beta, 1e-3)[0];
          const dz = operation === 'batchNormTrain' ? dy : siluGradient(z, dy);
          const expected = [activation(z), ...batchNormGradient(x, gamma, dz, 1e-3)];
          expected.forEach((values, i) => {
            const what = `${shape.join('x')}: ${i === 0 ? 'value' : `gradient of input ${i - 1}`}`;
            assertClose(first[i] ?? new Float32Array(), values, what);
          });
        }
      });
    }

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

    for (const activation of ACTIVATIONS) {
      test(`activation ${activation}`, () => {
        overShapes(image, (shape) => {
          // No value within a step of a kink: at 0, at -3, at 3 or at 6.
          const x = drawn(shape, 'x', -8, 8);
          x.data.forEach((v, i) => {
            if ([-3, 0, 3, 6].some((kink) => Math.abs(v - kink) < 0.01)) x.data[i] = v + 0.03125;
          });
          checkOperation({
            inputs: [x],
            reference: (xs) => activationReference(activation, part(xs, 0)),
            run: ([input]) => tf.clone(activate(activation, input as tf.Tensor4D, ops)),
            step: 1e-4,
          });
        });
      });
    }

    test('squeeze-and-excitation: the mean over pixels, two layers, the gate', () => {
      overShapes(fc.tuple(image, fc.integer({ min: 1, max: 4 })), ([shape, squeeze]) => {
        const c = shape[3];
        const module = squeezeModule(c, squeeze);
        checkOperation({
          inputs: [
            drawn(shape, 'x'),
            ...[[1, 1, c, squeeze], [squeeze], [1, 1, squeeze, c], [c]].map((own, i) =>
              drawn(own, `parameter ${i}`),
            ),
          ],
          reference: (xs) => squeezeExcitation(xs),
          run: ([x, ...parameters]) => {
            const value = (name: string): tf.Tensor => {
              const found = parameters[['fc1.weight', 'fc1.bias', 'fc2.weight', 'fc2.bias'].indexOf(name)];
              assert.ok(found !== undefined, name);
              return found;
            };
            return module.forward([x as tf.Tensor4D], { ops, value } as unknown as Scope);
          },
          step: 1e-5,
        });
      });
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

    test('maxPool: more channels than a vector holds', () => {
      for (const c of [16, 17, 40])
        checkOperation({
          inputs: [untied([1, 5, 3, c], -1)],
          reference: (xs) => maxPool(part(xs, 0), 5, 1),
          run: ([x]) => ops.maxPool(x as tf.Tensor4D, 5, 1),
          step: 1 / 256,
        });
    });

    test('unpack: any shapes, also of one part and of none of its elements', () => {
      const shapes = fc.array(fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }), {
        minLength: 1,
        maxLength: 5,
      });
      overShapes(shapes, (drawnShapes) => {
        const sizes = drawnShapes.map((shape) => shape.reduce((a, b) => a * b, 1));
        const size = sizes.reduce((a, b) => a + b, 0);
        if (size === 0) return;
        // The parts in reverse order: a part that arrives in another's place shows.
        const reverse = ({ data }: Dense): Dense => {
          let end = size;
          const parts = [...sizes].reverse().map((length) => data.slice((end -= length), end + length));
          return dense(
            [size],
            parts.flatMap((values) => [...values]),
          );
        };
        checkOperation({
          inputs: [drawn([size], 'flat')],
          reference: (xs) => reverse(part(xs, 0)),
          run: ([flat]) => {
            const parts = ops.unpack(flat as tf.Tensor1D, drawnShapes);
            assert.deepEqual(
              parts.map(({ shape }) => shape),
              drawnShapes,
            );
            return tf.concat1d(parts.reverse().map((tensor) => tf.reshape(tensor, [tensor.size])));
          },
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

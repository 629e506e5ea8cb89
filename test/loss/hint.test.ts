import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { isSoftshardError } from '../../src/errors.ts';
import { resizeFeature } from '../../src/loss/features/resize-feature.ts';
import { squaredError } from '../../src/loss/features/squared-error.ts';
import type { HintPair } from '../../src/loss/hint-pair.ts';
import { hintParameters } from '../../src/loss/hint-parameters.ts';
import { createHintLoss } from '../../src/loss/hint.ts';
import type { LossContext, LossTarget } from '../../src/loss/loss.ts';
import type { Forward } from '../../src/model/detector.ts';
import { gradientError } from './finite-differences.ts';
import { contextOf, largestDifference, valueOf } from './on-engine.ts';

const map = (b: number, h: number, w: number, c: number, phase = 0): tf.Tensor4D =>
  tf.tensor4d(
    Float32Array.from({ length: b * h * w * c }, (_, i) => Math.sin(1.7 * i + phase)),
    [b, h, w, c],
  );

const studentOf = (layer: number, feature: tf.Tensor4D): Forward => ({
  heads: [],
  features: new Map([[layer, feature]]),
});
const targetOf = (layer: number, feature: tf.Tensor4D): LossTarget => ({
  labels: new Float32Array(0),
  labelled: [false, false],
  teacher: { features: new Map([[layer, feature]]) },
});
const context = contextOf(3, { box: 1, obj: 1, cls: 1 });
const isLossError = (error: unknown): boolean => isSoftshardError(error, 'E_LOSS');

describe('resizing a feature', () => {
  test('bilinear between pixel centres, border repeated', () => {
    const x = tf.tensor4d([0, 1, 2, 3], [1, 2, 2, 1]);
    const along = [0, 0.25, 0.75, 1];
    const expected = along.flatMap((y) => along.map((at) => 2 * y + at));
    assert.ok(largestDifference(resizeFeature(x, 4, 4).dataSync(), expected) < 1e-6);
    assert.ok(largestDifference(resizeFeature(x, 1, 1).dataSync(), [1.5]) < 1e-6);
  });

  test('the gradient equals finite differences', () => {
    const x = map(2, 3, 2, 2);
    const weights = map(2, 5, 7, 2, 0.3);
    const error = gradientError(
      (y) => tf.sum(tf.mul(resizeFeature(y as tf.Tensor4D, 5, 7), weights)),
      x.dataSync(),
      x.shape,
      0.1,
    );
    assert.ok(error < 1e-4, `${error}`);
  });
});

describe('hints', () => {
  const pair: HintPair = { student: 4, teacher: 6, kind: 'mse' };

  test('a term is named after its layers and compares them', () => {
    const [s, t] = [map(2, 4, 4, 3), map(2, 4, 4, 3, 1)];
    const terms = createHintLoss([pair])(studentOf(4, s), targetOf(6, t), context);
    assert.deepEqual(Object.keys(terms), ['4-6']);
    assert.equal(valueOf(terms['4-6']), valueOf(squaredError(s, t)));
  });

  test('the adapter of the pair is applied, and learns', () => {
    const kernel = map(1, 1, 2, 3);
    const adapting: LossContext = {
      ...context,
      adapt: (name, feature) => {
        assert.equal(name, '4-6');
        return tf.conv2d(feature, kernel, 1, 'valid');
      },
    };
    const t = map(2, 4, 4, 3, 1);
    const gradient = tf.grad((s: tf.Tensor) =>
      tf.addN(
        Object.values(createHintLoss([pair])(studentOf(4, s as tf.Tensor4D), targetOf(6, t), adapting)),
      ),
    )(map(2, 4, 4, 2));
    assert.ok(gradient.dataSync().some((g) => g !== 0));
  });

  test('a teacher larger by a whole factor is averaged, any other size makes the student resize', () => {
    const s = map(2, 2, 3, 2);
    const large = map(2, 4, 6, 2);
    const averaged = createHintLoss([pair])(studentOf(4, s), targetOf(6, large), context);
    assert.equal(valueOf(averaged['4-6']), valueOf(squaredError(s, tf.avgPool(large, 2, 2, 'valid'))));
    const odd = map(2, 3, 5, 2);
    const resized = createHintLoss([pair])(studentOf(4, s), targetOf(6, odd), context);
    assert.equal(valueOf(resized['4-6']), valueOf(squaredError(resizeFeature(s, 3, 5), odd)));
  });

  test('every kind runs, and leaves nothing allocated', () => {
    const student = studentOf(4, map(2, 4, 4, 3));
    const target = targetOf(6, map(2, 8, 8, 3, 1));
    const before = tf.memory().numTensors;
    for (const kind of ['mse', 'l1', 'cosine', 'at', 'pkd', 'cwd'] as const) {
      const terms = createHintLoss([{ ...pair, kind, temperature: 2 }])(student, target, context);
      assert.ok(valueOf(terms['4-6']) > 0);
      tf.dispose(terms);
    }
    assert.equal(tf.memory().numTensors, before);
  });

  test('attention transfer compares maps of unequal channels, the others do not', () => {
    const student = studentOf(4, map(2, 4, 4, 3));
    const target = targetOf(6, map(2, 4, 4, 5));
    assert.ok(valueOf(createHintLoss([{ ...pair, kind: 'at' }])(student, target, context)['4-6']) > 0);
    assert.throws(() => createHintLoss([pair])(student, target, context), isLossError);
  });

  test('a missing feature and a repeated pair are E_LOSS', () => {
    const t = map(2, 4, 4, 3);
    assert.throws(() => createHintLoss([pair])(studentOf(5, t), targetOf(6, t), context), isLossError);
    assert.throws(() => createHintLoss([pair])(studentOf(4, t), targetOf(7, t), context), isLossError);
    assert.throws(() => createHintLoss([pair, { ...pair, kind: 'l1' }]), isLossError);
  });

  test('fgd and mgd run with the layers that they declare, and learn them', () => {
    const [s, t] = [map(2, 4, 4, 3), map(2, 4, 4, 4, 1)];
    for (const kind of ['fgd', 'mgd'] as const) {
      const of = { ...pair, kind, adapter: 'conv1x1', fgd: { lambda: 0.01 } };
      const declared = hintParameters(of, 3, 4);
      const names = declared.map(({ part }) => part);
      const values = declared.map(({ shape, initial }, i) =>
        'value' in initial
          ? tf.fill([...shape], initial.value)
          : tf.mul(
              tf.sin(
                tf.add(
                  tf.range(
                    0,
                    shape.reduce((a, b) => a * b, 1),
                  ),
                  i,
                ),
              ),
              initial.bound,
            ),
      );
      const reshaped = values.map((value, i) => tf.reshape(value, [...(declared[i]?.shape ?? [])]));
      const target = {
        ...targetOf(6, t),
        labels: Float32Array.of(0, 0, 0.5, 0.5, 0.4, 0.4),
        labelled: [true, true],
      };
      const grads = tf.grads((...given: tf.Tensor[]) => {
        const parts = new Map(names.map((name, i) => [name, given[i]]));
        const part = (name: string): tf.Tensor => parts.get(name) ?? assert.fail(name);
        const learning: LossContext = {
          ...context,
          adapt: (_, feature) =>
            tf.add(tf.conv2d(feature, part('weight') as tf.Tensor4D, 1, 'valid'), part('bias')),
          parameter: (_, name) => parts.get(name),
        };
        return tf.addN(Object.values(createHintLoss([of])(studentOf(4, s), target, learning)));
      })(reshaped);
      // Behind a last layer of zeros nothing learns in the first step.
      const still = /context\..*\.(attend|reduce|norm)\./;
      grads.forEach((gradient, i) => {
        const moves = gradient.dataSync().some((g) => g !== 0);
        const name = names[i] ?? '';
        assert.equal(moves, !still.test(name), `${kind} ${name}`);
      });
      assert.throws(() => createHintLoss([of])(studentOf(4, t), targetOf(6, t), context), isLossError);
    }
  });

  test('standardised features do not see the scale of a channel', () => {
    const [s, t] = [map(2, 4, 4, 3), map(2, 4, 4, 3, 1)];
    const term = (norm: 'student' | 'both', teacher: tf.Tensor4D): number =>
      valueOf(createHintLoss([{ ...pair, norm }])(studentOf(4, s), targetOf(6, teacher), context)['4-6']);
    const scaled = tf.add<tf.Tensor4D>(tf.mul(t, 7), 2);
    assert.ok(Math.abs(term('both', scaled) - term('both', t)) < 1e-4);
    assert.ok(term('student', scaled) > 2 * term('student', t));
    // Both standardised: half the mean square is 1 - the correlation, as of pkd (by n instead of n - 1).
    const pkd = createHintLoss([{ ...pair, kind: 'pkd' }])(studentOf(4, s), targetOf(6, t), context)['4-6'];
    assert.ok(Math.abs(term('both', t) / 2 / valueOf(pkd) - 1) < 0.05);
    const error = gradientError(
      (x) =>
        tf.addN(
          Object.values(
            createHintLoss([{ ...pair, norm: 'both' }])(
              studentOf(4, x as tf.Tensor4D),
              targetOf(6, t),
              context,
            ),
          ),
        ),
      s.dataSync(),
      s.shape,
      0.01,
    );
    assert.ok(error < 1e-3, `${error}`);
  });

  test('pixels count by the teacher’s objectness, or inside boxes; without heads it is E_LOSS', () => {
    const [s, t] = [map(1, 4, 4, 3), map(1, 4, 4, 3, 1)];
    const weighed: HintPair = { ...pair, pixels: 'objectness' };
    const logits = (at: number): tf.Tensor5D =>
      tf.tensor5d(
        Float32Array.from({ length: 16 * 6 }, (_, i) => (i === at * 6 + 4 ? 20 : -20)),
        [1, 4, 4, 1, 6],
      );
    const cut = (x: tf.Tensor4D): tf.Tensor4D => tf.slice(x, [0, 1, 2, 0], [1, 1, 1, 3]);
    const base = { ...targetOf(6, t), labelled: [true] };
    const seen = { ...base, teacher: { features: new Map([[6, t]]), heads: [logits(6)] } };
    const found = createHintLoss([weighed])(studentOf(4, s), seen, context)['4-6'];
    assert.ok(Math.abs(valueOf(found) - valueOf(squaredError(cut(s), cut(t)))) < 1e-5);
    const inBox = { ...base, labels: Float32Array.of(0, 0, 0.625, 0.375, 0.01, 0.01) };
    const boxed = createHintLoss([{ ...pair, pixels: 'boxes' }])(studentOf(4, s), inBox, context)['4-6'];
    const cells = [
      [1, 2],
      [1, 3],
      [2, 2],
      [2, 3],
    ] as const;
    const mean =
      cells
        .map(([y, x]) =>
          valueOf(
            squaredError(tf.slice(s, [0, y, x, 0], [1, 1, 1, 3]), tf.slice(t, [0, y, x, 0], [1, 1, 1, 3])),
          ),
        )
        .reduce((a, b) => a + b) / 4;
    assert.ok(Math.abs(valueOf(boxed) - mean) < 1e-5);
    assert.throws(() => createHintLoss([weighed])(studentOf(4, s), base, context), isLossError);
    assert.throws(() => createHintLoss([{ ...weighed, kind: 'cwd' }]), isLossError);
  });
});

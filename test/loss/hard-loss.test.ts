import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { isSoftshardError } from '../../src/errors.ts';
import { createHardLoss, type HardLossOptions } from '../../src/loss/hard-loss.ts';
import type { LossTarget } from '../../src/loss/loss.ts';
import { lossVectors, vectorHeads, vectorLabels, type LossCase } from './vectors.ts';
import { gradientError } from './finite-differences.ts';
import {
  absoluteSum,
  allLabelled,
  contextOf,
  forwardOf,
  largestDifference,
  relativeError,
  targetOf,
  valueOf,
} from './on-engine.ts';

const context = contextOf(3, { box: 0.05, obj: 1, cls: 0.01875 });

const total = (
  heads: readonly tf.Tensor5D[],
  target: LossTarget,
  images: number,
  options?: HardLossOptions,
): tf.Scalar =>
  tf.mul<tf.Scalar>(
    tf.addN(Object.values(createHardLoss(options)(forwardOf(heads), target, context))),
    images,
  );

const gradients = (
  heads: readonly tf.Tensor5D[],
  target: LossTarget,
  images: number,
  options?: HardLossOptions,
): tf.Tensor[] =>
  tf.grads((...inputs: tf.Tensor[]) => total(inputs as tf.Tensor5D[], target, images, options))([...heads]);

const CASES: readonly [name: string, options: HardLossOptions, expected: LossCase][] = [
  ['default', {}, lossVectors.loss_default],
  ['label smoothing 0.1', { labelSmoothing: 0.1 }, lossVectors['loss_label_smoothing_0.1']],
  ['positive weights', { clsPw: 0.5, objPw: 2 }, lossVectors.loss_pos_weight],
  ['focal 1.5', { flGamma: 1.5 }, lossVectors['loss_focal_1.5']],
];

describe('the small vectors', () => {
  for (const [name, options, expected] of CASES) {
    test(`${name}: terms and gradient sums within 1e-5`, () => {
      const target = targetOf(vectorLabels(), allLabelled(2));
      const terms = createHardLoss(options)(forwardOf(vectorHeads()), target, context);
      ['box', 'obj', 'cls'].forEach((term, i) => {
        const error = relativeError(valueOf(terms[term]), expected.items_box_obj_cls[i] ?? NaN);
        assert.ok(error < 1e-5, `${term}: ${error}`);
      });
      assert.ok(relativeError(valueOf(total(vectorHeads(), target, 2, options)), expected.loss[0]) < 1e-5);
      gradients(vectorHeads(), target, 2, options).forEach((gradient, level) => {
        const error = relativeError(absoluteSum(gradient.dataSync()), expected.grad_abs_sum[level] ?? NaN);
        assert.ok(error < 1e-5, `level ${level}: ${error}`);
      });
    });
  }

  test('no labels: objectness alone', () => {
    const terms = createHardLoss()(
      forwardOf(vectorHeads()),
      targetOf(new Float32Array(0), allLabelled(2)),
      context,
    );
    const [box, obj, cls] = lossVectors.loss_no_targets.items;
    assert.equal(valueOf(terms['box']), box);
    assert.equal(valueOf(terms['cls']), cls);
    assert.ok(relativeError(valueOf(terms['obj']), obj) < 1e-5);
  });
});

describe('images without annotation', () => {
  /** The two images of the vectors with a third one, unlabelled, between them. */
  const withUnlabelled = (): tf.Tensor5D[] =>
    vectorHeads().map((head) => {
      const [first, second] = tf.split(head, 2) as [tf.Tensor5D, tf.Tensor5D];
      return tf.concat([first, tf.add<tf.Tensor5D>(tf.mul(first, 0.5), 0.25), second]);
    });
  const labels = (): Float32Array =>
    vectorLabels().map((value, i) => (i % 6 === 0 && value === 1 ? 2 : value));

  test('change neither the terms nor the gradients of the others, and take none', () => {
    const plain = targetOf(vectorLabels(), allLabelled(2));
    const mixed = targetOf(labels(), [true, false, true]);
    const expected = gradients(vectorHeads(), plain, 2);
    gradients(withUnlabelled(), mixed, 2).forEach((gradient, level) => {
      const [first, middle, last] = tf.split(gradient, 3) as [tf.Tensor, tf.Tensor, tf.Tensor];
      assert.equal(absoluteSum(middle.dataSync()), 0);
      const known = tf.concat([first, last]).dataSync();
      assert.ok(largestDifference(known, expected[level]?.dataSync() ?? []) < 1e-8);
    });
    const error = relativeError(
      valueOf(total(withUnlabelled(), mixed, 2)),
      valueOf(total(vectorHeads(), plain, 2)),
    );
    assert.ok(error < 1e-6);
  });

  test('rows that name one are left out', () => {
    const stray = Float32Array.of(...labels(), 1, 0, 0.5, 0.5, 0.4, 0.4);
    const found = total(withUnlabelled(), targetOf(stray, [true, false, true]), 2);
    assert.equal(
      valueOf(found),
      valueOf(total(withUnlabelled(), targetOf(labels(), [true, false, true]), 2)),
    );
  });

  test('alone give zeros with a zero gradient', () => {
    const target = targetOf(new Float32Array(0), [false, false]);
    assert.equal(valueOf(total(vectorHeads(), target, 0)), 0);
    gradients(vectorHeads(), target, 1).forEach((gradient) =>
      assert.equal(absoluteSum(gradient.dataSync()), 0),
    );
  });
});

test('of rows that share a cell the last decides the objectness target', () => {
  const box = [0.5, 0.5, 0.3, 0.4];
  const other = [0.5, 0.5, 0.29, 0.41];
  const loss = (first: number[], second: number[]): number =>
    valueOf(
      createHardLoss()(
        forwardOf(vectorHeads()),
        targetOf(Float32Array.of(0, 0, ...first, 0, 0, ...second), allLabelled(2)),
        context,
      )['obj'],
    );
  const alone = (only: number[]): number =>
    valueOf(
      createHardLoss()(
        forwardOf(vectorHeads()),
        targetOf(Float32Array.of(0, 0, ...only), allLabelled(2)),
        context,
      )['obj'],
    );
  // Both labels fit the same anchors of the same cells.
  assert.equal(loss(box, other), alone(other));
  assert.equal(loss(other, box), alone(box));
  assert.notEqual(alone(box), alone(other));
});

test('objectness takes no gradient through its target', () => {
  const boxless = contextOf(3, { box: 0, obj: 1, cls: 0 });
  const target = targetOf(vectorLabels(), allLabelled(2));
  const found = tf.grads((...inputs: tf.Tensor[]) =>
    tf.addN(Object.values(createHardLoss()(forwardOf(inputs as tf.Tensor5D[]), target, boxless))),
  )(vectorHeads());
  for (const gradient of found) {
    assert.equal(absoluteSum(tf.slice(gradient, [0, 0, 0, 0, 0], [-1, -1, -1, -1, 4]).dataSync()), 0);
  }
});

test('objectness and class gradients equal finite differences', () => {
  const [head] = vectorHeads().slice(2);
  assert.ok(head);
  const values = head.dataSync();
  const target = targetOf(Float32Array.of(0, 1, 0.3, 0.4, 0.9, 0.8), allLabelled(2));
  for (const options of [{}, { objPw: 2, clsPw: 0.5 }, { flGamma: 0.5 }, { gr: 0.5, balance: [1, 1, 1] }]) {
    // Boxes are left out: their overlap is a constant of the objectness target.
    const error = gradientError(
      (x) => {
        const logits = tf.slice(tf.reshape(x, [2, 2, 3, 3, 8]), [0, 0, 0, 0, 4], [-1, -1, -1, -1, 4]);
        const boxes = tf.slice(head, [0, 0, 0, 0, 0], [-1, -1, -1, -1, 4]);
        const [fine, middle] = vectorHeads();
        assert.ok(fine !== undefined && middle !== undefined);
        return total([fine, middle, tf.concat([boxes, logits], 4) as tf.Tensor5D], target, 2, options);
      },
      values,
      head.shape,
      0.05,
    );
    assert.ok(error < 5e-5, `${error}`);
  }
});

test('nothing stays allocated', () => {
  const heads = vectorHeads();
  const target = targetOf(vectorLabels(), [true, false]);
  const before = tf.memory().numTensors;
  tf.dispose(createHardLoss()(forwardOf(heads), targetOf(vectorLabels(), allLabelled(2)), context));
  tf.dispose(createHardLoss()(forwardOf(heads), target, context));
  assert.equal(tf.memory().numTensors, before);
  const found = gradients(heads, targetOf(vectorLabels(), allLabelled(2)), 2, { flGamma: 1.5 });
  assert.equal(tf.memory().numTensors, before + heads.length);
  tf.dispose([...found, ...heads]);
});

describe('nonsense is E_LOSS', () => {
  const isLossError = (error: unknown): boolean => isSoftshardError(error, 'E_LOSS');
  const run = (labels: number[], heads = vectorHeads()) =>
    createHardLoss()(forwardOf(heads), targetOf(Float32Array.from(labels), allLabelled(2)), context);

  test('a class or image that does not exist', () => {
    assert.throws(() => run([0, 3, 0.5, 0.5, 0.2, 0.2]), isLossError);
    assert.throws(() => run([2, 0, 0.5, 0.5, 0.2, 0.2]), isLossError);
  });
  test('heads of another shape or number', () => {
    assert.throws(() => run([], vectorHeads().slice(1)), isLossError);
    assert.throws(
      () =>
        run(
          [],
          vectorHeads().map((head) => tf.slice(head, [0, 0, 0, 0, 0], [-1, -1, -1, -1, 7])),
        ),
      isLossError,
    );
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { boxOverlap, ciou, type OverlapKind } from '../../src/loss/box-overlap.ts';
import { gradientError } from './finite-differences.ts';
import { lossVectors } from './vectors.ts';
import { largestDifference } from './on-engine.ts';

const { ciou: vectors } = lossVectors;
const matrix = (values: readonly (readonly number[])[]): tf.Tensor2D =>
  tf.tensor2d(values.map((row) => [...row]));

const KINDS: readonly OverlapKind[] = ['iou', 'giou', 'diou', 'ciou'];

describe('overlap of boxes', () => {
  for (const kind of KINDS) {
    test(`${kind} of the vectors within 1e-6`, () => {
      const found = boxOverlap(kind, matrix(vectors.pred_xywh), matrix(vectors.true_xywh)).dataSync();
      assert.ok(largestDifference(found, vectors[kind]) < 1e-6, [...found].join());
    });

    test(`the gradient of ${kind} equals finite differences`, () => {
      const boxes = [
        1.2, 0.7, 2, 1, 0.3, 0.45, 0.5, 3, 0.1, 0.2, 1.4, 0.9, 0.55, 0.4, 4, 0.3, 3, 3.1, 1, 1.2,
      ];
      const truth = tf.tensor2d(
        [1, 0.5, 1.5, 1.5, 0.5, 0.5, 1, 1, 0.2, 0.1, 3, 2, 0.25, 0.75, 0.25, 4, 1, 1, 1.1, 1],
        [5, 4],
      );
      // The weight of CIoU's aspect term is a constant by definition, so it is checked against the vectors instead.
      if (kind === 'ciou') return;
      const error = gradientError(
        (x) => tf.sum(boxOverlap(kind, x as tf.Tensor2D, truth)),
        boxes,
        [5, 4],
        2e-3,
      );
      assert.ok(error < 2e-3, `${error}`);
    });
  }

  test('the gradient of ciou is that of the vectors', () => {
    const truth = matrix(vectors.true_xywh);
    const gradient = tf.grad((x: tf.Tensor) => tf.sum(ciou(x as tf.Tensor2D, truth)))(
      matrix(vectors.pred_xywh),
    );
    assert.ok(largestDifference(gradient.dataSync(), vectors.dciou_dpred.flat()) < 1e-6);
  });

  test('boxes that vanish have a finite value and gradient', () => {
    const boxes = tf.tensor2d([0.5, 0.5, 0, 0, 0.5, 0.5, 1e-20, 1e-20], [2, 4]);
    const truth = tf.tensor2d([0.5, 0.5, 1, 1, 0.2, 0.2, 1, 1], [2, 4]);
    const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => tf.sum(ciou(x as tf.Tensor2D, truth)))(boxes);
    assert.ok([...value.dataSync(), ...grad.dataSync()].every(Number.isFinite));
  });

  test('equal boxes of any size have finite values near 1 and gradients near 0', () => {
    const data = Float32Array.from({ length: 4000 }, (_, i) => 0.1 + 13 * Math.abs(Math.sin(i * i)) ** 3);
    const boxes = tf.tensor2d(data, [1000, 4]);
    for (const kind of KINDS) {
      const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => boxOverlap(kind, x as tf.Tensor2D, boxes))(
        boxes,
      );
      assert.ok(largestDifference(value.dataSync(), new Float32Array(1000).fill(1)) < 1e-4, kind);
      assert.ok(grad.dataSync().every(Number.isFinite), kind);
    }
  });

  test('the weight of a row scales its gradient', () => {
    const truth = matrix(vectors.true_xywh);
    const weights = tf.tensor1d([0, 1, 2, 3, 4]);
    const gradient = tf.grad((x: tf.Tensor) => tf.sum(tf.mul(ciou(x as tf.Tensor2D, truth), weights)))(
      matrix(vectors.pred_xywh),
    );
    const expected = vectors.dciou_dpred.flatMap((row, i) => row.map((value) => i * value));
    assert.ok(largestDifference(gradient.dataSync(), expected) < 1e-6);
  });
});

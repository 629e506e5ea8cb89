import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { isSoftshardError } from '../../src/errors.ts';
import { crossEntropy, hintonLoss, softSigmoidTargets, softTargets } from '../../src/loss/soft-targets.ts';
import { referenceJson, skipWithoutReference } from '../reference.ts';
import { distillationVectors as vectors } from './vectors.ts';
import { largestDifference, ops, relativeError, valueOf } from './on-engine.ts';

const matrix = (values: readonly (readonly number[])[]): tf.Tensor2D =>
  tf.tensor2d(values.map((row) => [...row]));
const [student, teacher] = [matrix(vectors.zs), matrix(vectors.zt)];

/** T^2 KL of the vectors' logits in float64, mean over the batch. */
function divergence(T: number): number {
  const logSoftmax = (logits: readonly number[]): number[] => {
    const scaled = logits.map((z) => z / T);
    const total = Math.log(scaled.reduce((sum, z) => sum + Math.exp(z), 0));
    return scaled.map((z) => z - total);
  };
  const rows = vectors.zt.map((logits, b) => {
    const p = logSoftmax(vectors.zs[b] ?? []);
    return logSoftmax(logits).reduce((sum, q, i) => sum + Math.exp(q) * (q - (p[i] ?? NaN)), 0);
  });
  return (T * T * rows.reduce((a, b) => a + b, 0)) / rows.length;
}

describe('the small vectors', () => {
  const softmax = [
    [1, vectors.hinton_T1],
    [2, vectors.hinton_T2],
    [4, vectors.hinton_T4],
    [20, vectors.hinton_T20],
  ] as const;
  for (const [temperature, expected] of softmax) {
    test(`softmax at temperature ${temperature}`, () => {
      const { value, grad } = tf.valueAndGrad((x: tf.Tensor) =>
        softTargets(x as tf.Tensor2D, teacher, { temperature }),
      )(student);
      assert.ok(relativeError(valueOf(value), divergence(temperature)) < 1e-5, `${valueOf(value)}`);
      // The float32 vector itself is 1.6e-5 off at temperature 20, where the divergence cancels to 1/400 of its terms.
      assert.ok(relativeError(valueOf(value), expected.kl_T2) < (temperature === 20 ? 2e-5 : 1e-5));
      assert.ok(largestDifference(grad.dataSync(), expected.grad.flat()) < 2e-6);
    });
  }

  for (const [temperature, expected] of [
    [1, vectors.sigmoid_T1],
    [2, vectors.sigmoid_T2],
  ] as const) {
    test(`sigmoid at temperature ${temperature}`, () => {
      const { value, grad } = tf.valueAndGrad((x: tf.Tensor) =>
        softSigmoidTargets(ops, x, teacher, { temperature }),
      )(student);
      assert.ok(relativeError(valueOf(value), expected.bce_mean_T2) < 1e-5);
      assert.ok(largestDifference(grad.dataSync(), expected.grad.flat()) < 1e-6);
    });
  }

  test('cross entropy with the labels', () => {
    assert.ok(relativeError(valueOf(crossEntropy(student, vectors.y)), vectors.hard_ce) < 1e-5);
  });
});

interface HintonReference {
  readonly student_logits: readonly (readonly number[])[];
  readonly teacher_logits: readonly (readonly number[])[];
  readonly labels: readonly number[];
  readonly rows: readonly {
    readonly T: number;
    readonly alpha: number;
    readonly soft_kl_times_T2: number;
    readonly hard_ce: number;
    readonly total: number;
    readonly grad_fp64: readonly (readonly number[])[];
  }[];
}

test('soft, hard and total over temperatures and weights', { skip: skipWithoutReference }, () => {
  const reference = referenceJson('ref', 'D_hinton_kd.json') as HintonReference;
  const [s, t] = [matrix(reference.student_logits), matrix(reference.teacher_logits)];
  for (const { T, alpha, soft_kl_times_T2: soft, hard_ce: hard, total, grad_fp64: grad } of reference.rows) {
    const options = { temperature: T, alpha };
    const found = hintonLoss(s, t, reference.labels, options);
    for (const [term, expected] of Object.entries({ soft, hard, total })) {
      const error = relativeError(valueOf(found[term as 'soft']), expected);
      assert.ok(error < 1e-5, `T ${T}, alpha ${alpha}, ${term}: ${error}`);
    }
    const gradient = tf.grad(
      (x: tf.Tensor) => hintonLoss(x as tf.Tensor2D, t, reference.labels, options).total,
    )(s);
    const flat = grad.flat();
    gradient.dataSync().forEach((g, i) => {
      const error = Math.abs(g - (flat[i] ?? NaN));
      assert.ok(
        error < 1e-5 * Math.max(...flat.map(Math.abs)),
        `T ${T}, alpha ${alpha}, element ${i}: ${error}`,
      );
    });
  }
});

test('nothing stays allocated', () => {
  const before = tf.memory().numTensors;
  tf.dispose(hintonLoss(student, teacher, vectors.y));
  tf.dispose(softSigmoidTargets(ops, student, teacher, { temperature: 2 }));
  tf.dispose(tf.grad((x: tf.Tensor) => hintonLoss(x as tf.Tensor2D, teacher, vectors.y).total)(student));
  assert.equal(tf.memory().numTensors, before);
});

test('a temperature that is not positive is E_LOSS', () => {
  for (const temperature of [0, -1, NaN, Infinity]) {
    assert.throws(
      () => softTargets(student, teacher, { temperature }),
      (error) => isSoftshardError(error, 'E_LOSS'),
    );
  }
});

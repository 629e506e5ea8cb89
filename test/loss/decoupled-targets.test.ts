import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { isSoftshardError } from '../../src/errors.ts';
import { bernoulliDivergence } from '../../src/loss/bernoulli-divergence.ts';
import { decoupledTargets } from '../../src/loss/decoupled-targets.ts';
import { softTargets } from '../../src/loss/soft-targets.ts';
import { gradientError } from './finite-differences.ts';
import { relativeError, valueOf } from './on-engine.ts';
import { distillationVectors as vectors } from './vectors.ts';

const matrix = (values: readonly (readonly number[])[]): tf.Tensor2D =>
  tf.tensor2d(values.map((row) => [...row]));
const [student, teacher] = [matrix(vectors.zs), matrix(vectors.zt)];

describe('decoupled targets', () => {
  test('terms and total are those of the vectors', () => {
    const found = decoupledTargets(student, teacher, vectors.y, { temperature: 4, alpha: 1, beta: 8 });
    const { tckd, nckd, loss } = vectors.dkd_T4_a1_b8;
    assert.ok(relativeError(valueOf(found.target), tckd) < 1e-5, `${valueOf(found.target)}`);
    assert.ok(relativeError(valueOf(found.rest), nckd) < 1e-5, `${valueOf(found.rest)}`);
    assert.ok(relativeError(valueOf(found.total), loss) < 1e-5);
  });

  for (const temperature of [1, 4]) {
    test(`the gradient equals finite differences at temperature ${temperature}`, () => {
      const error = gradientError(
        (x) => decoupledTargets(x as tf.Tensor2D, teacher, vectors.y, { temperature, beta: 3 }).total,
        student.dataSync(),
        student.shape,
        0.02,
      );
      assert.ok(error < 3e-4, `${error}`);
    });
  }

  test('plain KL is the true class and the rest weighted by the teacher’s own rest', () => {
    // KL = KL(b) + (1 - b_t) KL(rest): Zhao et al. 2022, equation 5; of one row.
    const row = (x: tf.Tensor2D): tf.Tensor2D => tf.slice(x, [0, 0], [1, 4]);
    const terms = decoupledTargets(row(student), row(teacher), [3], { temperature: 1 });
    const sure = tf.softmax(row(teacher)).dataSync()[3] ?? NaN;
    const whole = valueOf(softTargets(row(student), row(teacher)));
    assert.ok(relativeError(valueOf(terms.target) + (1 - sure) * valueOf(terms.rest), whole) < 1e-5);
  });

  test('logits far apart stay finite, equal ones give 0', () => {
    const far = matrix([[200, -200, 0, 5]]);
    const { value, grad } = tf.valueAndGrad(
      (x: tf.Tensor) =>
        decoupledTargets(x as tf.Tensor2D, matrix([[-200, 200, 0, 5]]), [0], { temperature: 1 }).total,
    )(far);
    assert.ok([...value.dataSync(), ...grad.dataSync()].every(Number.isFinite));
    assert.equal(valueOf(decoupledTargets(far, far, [1]).total), 0);
  });

  test('a class that does not exist, a single class and a bad temperature are E_LOSS', () => {
    const fails = (run: () => unknown): void => {
      assert.throws(run, (error) => isSoftshardError(error, 'E_LOSS'));
    };
    fails(() => decoupledTargets(student, teacher, [0, 4]));
    fails(() => decoupledTargets(tf.ones([1, 1]), tf.ones([1, 1]), [0]));
    fails(() => decoupledTargets(student, teacher, vectors.y, { temperature: 0 }));
  });
});

test('the divergence of sigmoids: definition, gradient, extremes', () => {
  const s = tf.tensor1d([0.3, -2, 4, 0.5, 120, -120]);
  const t = tf.tensor1d([-1, -2.5, -3, 0.5, -120, 120]);
  const found = bernoulliDivergence(s, t).dataSync();
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
  for (const [i, x, y] of [
    [0, 0.3, -1],
    [1, -2, -2.5],
    [2, 4, -3],
  ] as const) {
    const [p, q] = [sigmoid(x), sigmoid(y)];
    const expected = q * Math.log(q / p) + (1 - q) * Math.log((1 - q) / (1 - p));
    assert.ok(relativeError(found[i] ?? NaN, expected) < 1e-5);
  }
  assert.equal(found[3], 0);
  assert.ok(found.every(Number.isFinite));
  const error = gradientError((x) => bernoulliDivergence(x, tf.slice(t, 0, 3)), [0.3, -2, 4], [3], 0.02);
  assert.ok(error < 1e-4, `${error}`);
});

test('nothing stays allocated', () => {
  const before = tf.memory().numTensors;
  tf.dispose(decoupledTargets(student, teacher, vectors.y));
  tf.dispose(
    tf.grad((x: tf.Tensor) => decoupledTargets(x as tf.Tensor2D, teacher, vectors.y).total)(student),
  );
  assert.equal(tf.memory().numTensors, before);
});

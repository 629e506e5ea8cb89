import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { isSoftshardError } from '../../src/errors.ts';
import { createL2OutputLoss } from '../../src/loss/output-l2.ts';
import { referenceFloats, referenceJson, referenceNpy, skipWithoutReference } from '../reference.ts';
import { gradientError } from './finite-differences.ts';
import { lossVectors, vectorHeads } from './vectors.ts';
import {
  absoluteSum,
  allLabelled,
  contextOf,
  forwardOf,
  gridHead,
  relativeError,
  targetOf,
  torchData,
  valueOf,
} from './on-engine.ts';

const loss = createL2OutputLoss();
const none = new Float32Array(0);
const TERMS = ['box', 'obj', 'cls'] as const;
/** The weight at which the reference values were taken. */
const WEIGHT = 10;

const vectorTeacher = (): tf.Tensor5D[] => vectorHeads((v) => 0.7 * v + 0.3 * Math.cos(5 * v));

describe('the small vectors', () => {
  const context = contextOf(3, { box: 0.05, obj: 1, cls: 0.01875 });
  const expected = lossVectors.adlik_output;

  test('terms, total and gradient sums within 1e-5', () => {
    const target = targetOf(none, allLabelled(2), vectorTeacher());
    const unit = loss(forwardOf(vectorHeads()), target, contextOf(3, { box: 1, obj: 1, cls: 1 }));
    TERMS.forEach((term, i) => {
      const error = relativeError(
        valueOf(unit[term]),
        expected.unweighted_sum_over_layers_box_obj_cls[i] ?? NaN,
      );
      assert.ok(error < 1e-5, `${term}: ${error}`);
    });
    const { value, grads } = tf.valueAndGrads((...heads: tf.Tensor[]) =>
      tf.mul<tf.Scalar>(
        tf.addN(Object.values(loss(forwardOf(heads as tf.Tensor5D[]), target, context))),
        WEIGHT,
      ),
    )(vectorHeads());
    assert.ok(relativeError(valueOf(value), expected.loss_d10) < 1e-5);
    grads.forEach((gradient, level) => {
      const error = relativeError(absoluteSum(gradient.dataSync()), expected.grad_abs_sum[level] ?? NaN);
      assert.ok(error < 1e-5, `level ${level}: ${error}`);
    });
  });

  test('the gradient equals finite differences', () => {
    const head = vectorHeads()[2];
    assert.ok(head);
    const target = targetOf(none, allLabelled(2), vectorTeacher());
    const [fine, middle] = vectorHeads();
    const error = gradientError(
      (x) => {
        assert.ok(fine !== undefined && middle !== undefined);
        const heads = [fine, middle, tf.reshape<tf.Rank.R5>(x, head.shape)];
        return tf.addN(Object.values(loss(forwardOf(heads), target, context)));
      },
      head.dataSync(),
      head.shape,
      0.1,
    );
    assert.ok(error < 1e-4, `${error}`);
  });

  test('nothing stays allocated', () => {
    const heads = vectorHeads();
    const target = targetOf(none, allLabelled(2), vectorTeacher());
    const before = tf.memory().numTensors;
    const found = tf.grads((...inputs: tf.Tensor[]) =>
      tf.addN(Object.values(loss(forwardOf(inputs as tf.Tensor5D[]), target, context))),
    )(heads);
    assert.equal(tf.memory().numTensors, before + 3);
    tf.dispose(found);
    tf.dispose(loss(forwardOf(heads), target, context));
    assert.equal(tf.memory().numTensors, before);
  });

  test('missing heads, or heads of another shape, are E_LOSS', () => {
    const isLossError = (error: unknown): boolean => isSoftshardError(error, 'E_LOSS');
    const student = forwardOf(vectorHeads());
    assert.throws(() => loss(student, targetOf(none, allLabelled(2)), context), isLossError);
    const [fine, middle, coarse] = vectorTeacher();
    assert.ok(fine && middle && coarse);
    assert.throws(() => loss(student, targetOf(none, allLabelled(2), [fine, middle]), context), isLossError);
    const other = tf.concat([coarse, coarse]);
    assert.throws(
      () => loss(student, targetOf(none, allLabelled(2), [fine, middle, other]), context),
      isLossError,
    );
  });
});

interface GradientSums {
  readonly sum: number;
  readonly abs_sum: number;
  readonly l2: number;
  readonly absmax: number;
}

describe('the seeded heads', { skip: skipWithoutReference }, () => {
  const LEVELS = ['p3', 'p4', 'p5'] as const;
  const heads = (who: string): tf.Tensor5D[] =>
    LEVELS.map((level) => {
      const { data, shape } = referenceFloats(`D_${who}_${level}.npy`);
      return gridHead(data, shape);
    });

  test('value and terms within 1e-5, gradients as the reference', () => {
    const expected = (
      referenceJson('ref', 'D_distill.json') as {
        readonly seed_output: {
          readonly value: number;
          readonly grad: readonly GradientSums[];
          readonly terms_after_gain_before_d_weight: Readonly<Record<string, number>>;
        };
      }
    ).seed_output;
    const context = contextOf(80, { box: 0.05, obj: 1, cls: 0.5 });
    const target = targetOf(none, allLabelled(2), heads('teacher'));
    const terms: Record<string, number> = {};
    const { value, grads } = tf.valueAndGrads((...inputs: tf.Tensor[]) => {
      const found = loss(forwardOf(inputs as tf.Tensor5D[]), target, context);
      for (const term of TERMS) terms[term] = valueOf(found[term]);
      return tf.mul<tf.Scalar>(tf.addN(Object.values(found)), WEIGHT);
    })(heads('student'));
    assert.ok(relativeError(valueOf(value), expected.value) < 1e-5);
    for (const term of TERMS) {
      const error = relativeError(terms[term] ?? NaN, expected.terms_after_gain_before_d_weight[term] ?? NaN);
      assert.ok(error < 1e-5, `${term}: ${error}`);
    }
    const near = (actual: number, reference: number, absolute: number): boolean =>
      Math.abs(actual - reference) <= absolute + 1e-5 * Math.abs(reference);
    LEVELS.forEach((level, l) => {
      const found = torchData(grads[l] as tf.Tensor);
      const sums = expected.grad[l];
      assert.ok(sums);
      assert.ok(relativeError(absoluteSum(found), sums.abs_sum) < 1e-5, level);
      assert.ok(relativeError(Math.sqrt(found.reduce((a, g) => a + g * g, 0)), sums.l2) < 1e-5);
      if (level === 'p3') {
        const at = referenceNpy('D_grad_seed_output_p3_sample_index.npy').data;
        const values = referenceFloats('D_grad_seed_output_p3_sample_value.npy').data;
        values.forEach((reference, i) => {
          assert.ok(near(found[Number(at[i])] ?? NaN, reference, 1e-9), `sample ${i}`);
        });
      } else {
        const reference = referenceFloats(`D_grad_seed_output_${level}.npy`).data;
        assert.equal(found.length, reference.length);
        found.forEach((g, i) => {
          assert.ok(near(g, reference[i] ?? NaN, 1e-7), `${level} ${i}`);
        });
      }
    });
  });
});

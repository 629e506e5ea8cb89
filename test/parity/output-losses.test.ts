/** Every output loss of the reference, on its seeded heads: values and gradients. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { blockSuppression } from '../../src/loss/feature-map-nms.ts';
import { columnOf, headRows } from '../../src/loss/head-rows.ts';
import type { Loss } from '../../src/loss/loss.ts';
import { createKlOutputLoss } from '../../src/loss/output-kl.ts';
import { createL2OutputLoss } from '../../src/loss/output-l2.ts';
import { createPseudoLabelLoss } from '../../src/loss/output-pseudo.ts';
import { createSplitOutputLoss } from '../../src/loss/output-split.ts';
import { skipWithoutReference, referenceFloats } from '../reference.ts';
import { assertGradient, assertGradientSums, seededCase, seededHeads } from '../loss/seeded-heads.ts';
import {
  allLabelled,
  contextOf,
  forwardOf,
  largestDifference,
  relativeError,
  targetOf,
  torchData,
  valueOf,
} from '../loss/on-engine.ts';

const BATCH = 2;

describe('output losses of the reference', { skip: skipWithoutReference }, () => {
  const run = (
    loss: Loss,
    gains = { box: 0.05, obj: 1, cls: 0.5 },
    scale = 1,
  ): { terms: Record<string, number>; value: number; grads: tf.Tensor[] } => {
    const target = targetOf(new Float32Array(0), allLabelled(BATCH), seededHeads('teacher'));
    const terms: Record<string, number> = {};
    const { value, grads } = tf.valueAndGrads((...heads: tf.Tensor[]) => {
      const found = loss(forwardOf(heads as tf.Tensor5D[]), target, contextOf(80, gains));
      for (const [name, term] of Object.entries(found)) terms[name] = valueOf(term);
      return tf.mul<tf.Scalar>(tf.addN(Object.values(found)), scale);
    })(seededHeads('student'));
    return { terms, value: valueOf(value), grads };
  };

  test('KL over whole rows at temperature 3', () => {
    const expected = seededCase('seed_kl_T3');
    const { value, grads } = run(createKlOutputLoss({ temperature: 3 }));
    assert.ok(relativeError(value, expected.value) < 1e-5, `${value}`);
    assertGradientSums(grads, expected);
    assertGradient(grads[2], 'D_grad_seed_kl_T3_p5.npy', { relative: 1e-4, absolute: 1e-11 });
  });

  test('the split loss as the first implementation has it', () => {
    const expected = seededCase('seed_split_w1');
    const { value, grads } = run(createSplitOutputLoss({ form: 'original' }));
    assert.ok(relativeError(value, expected.value) < 1e-5, `${value}`);
    assertGradientSums(grads, expected);
    assertGradient(grads[2], 'D_grad_seed_split_w1_p5.npy', { relative: 1e-4, absolute: 1e-9 });
  });

  test('its suppression of a teacher by blocks, exactly', () => {
    const head = seededHeads('teacher')[2];
    assert.ok(head);
    const rows = headRows(head);
    const stays = blockSuppression(columnOf(rows.rows, 4).dataSync(), rows);
    const zeroed = tf.reshape(tf.mul(rows.rows, tf.tensor2d(stays, [rows.count, 1])), head.shape);
    const expected = referenceFloats('D_teacher_after_seed_nms_p5.npy').data;
    assert.equal(largestDifference(torchData(zeroed), expected), 0);
  });

  for (const ratio of [0.5, 1]) {
    test(`the full-output form with distil ratio ${ratio} is l2 with other gains`, () => {
      // Its class term carries neither the ratio nor a gain; its total is times the batch.
      const expected = seededCase(`sharp_outbased_r${ratio.toFixed(1)}`);
      const gains = { box: 0.05 * ratio, obj: ratio, cls: 1 };
      const { terms, value, grads } = run(createL2OutputLoss(), gains, BATCH);
      assert.ok(relativeError(value, expected.value) < 1e-5, `${value}`);
      const items = [terms['box'], terms['obj'], 0, terms['cls']];
      items.forEach((item, i) => {
        assert.ok(Math.abs((item ?? NaN) - (expected.items[i] ?? NaN)) <= 1e-5 * (expected.items[i] ?? NaN));
      });
      assertGradientSums(grads, expected);
      if (ratio === 0.5) {
        assertGradient(grads[2], 'D_grad_sharp_outbased_r0.5_p5.npy', { relative: 1e-5, absolute: 1e-7 });
      }
    });
  }

  test('pseudo-labels through the assignment of labels, with distil ratio 0.5', () => {
    const expected = seededCase('sharp_dstill_r0.5');
    const { shape, data: raw } = referenceFloats('D_sharp_targets_logits.npy');
    // Rows: image, class, box, logits.
    const width = shape[1] ?? NaN;
    const rows = Float32Array.from(
      Array.from({ length: shape[0] ?? 0 }, (_, i) => [...raw.subarray(i * width, (i + 1) * width)]).flat(),
    );
    const terms: Record<string, number> = {};
    const loss = createPseudoLabelLoss({ ratio: 0.5 });
    const target = { labels: new Float32Array(0), labelled: [false, false], teacher: { rows } };
    const { value, grads } = tf.valueAndGrads((...heads: tf.Tensor[]) => {
      const found = loss(
        forwardOf(heads as tf.Tensor5D[]),
        target,
        contextOf(80, { box: 0.05, obj: 1, cls: 1 }),
      );
      for (const [name, term] of Object.entries(found)) terms[name] = valueOf(term);
      return tf.mul<tf.Scalar>(tf.addN(Object.values(found)), BATCH);
    })(seededHeads('student'));
    [terms['box'], terms['obj'], 0, terms['cls']].forEach((item, i) => {
      const wanted = expected.items[i] ?? NaN;
      assert.ok(Math.abs((item ?? NaN) - wanted) <= 1e-5 * wanted, `item ${i}: ${item} ${wanted}`);
    });
    assert.ok(relativeError(valueOf(value), expected.value) < 1e-5);
    assertGradientSums(grads, expected);
    assertGradient(grads[2], 'D_grad_sharp_dstill_r0.5_p5.npy', { relative: 1e-5, absolute: 1e-7 });
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { createHardLoss } from '../../src/loss/hard-loss.ts';
import { referenceFloats, referenceJson, skipWithoutReference } from '../reference.ts';
import {
  allLabelled,
  contextOf,
  forwardOf,
  gridHead,
  largestDifference,
  relativeError,
  targetOf,
  torchData,
  valueOf,
} from './on-engine.ts';

interface LossReference {
  readonly loss_total_times_batch: number;
  readonly items_box_obj_cls: readonly [number, number, number];
  readonly empty_targets: { readonly loss: number; readonly items: readonly [number, number, number] };
}

const gains = { box: 0.05, obj: 0.25, cls: 0.5 };
const LEVELS = ['p3', 'p4', 'p5'] as const;

const referenceHeads = (prefix: string): tf.Tensor5D[] =>
  LEVELS.map((level) => {
    const { data, shape } = referenceFloats(`${prefix}_${level}.npy`);
    return gridHead(data, shape);
  });

describe('the hard loss of yolov5n on four images', { skip: skipWithoutReference }, () => {
  const loss = createHardLoss();

  test('terms within 1e-5, gradients of all heads within 1e-7', () => {
    const expected = referenceJson('ref', 'C_loss.json') as LossReference;
    const labels = referenceFloats('C_targets.npy').data;
    const heads = referenceHeads('B_heads_320');
    const context = contextOf(80, gains);
    const target = targetOf(labels, allLabelled(4));
    const items: Record<string, number> = {};
    const { value, grads } = tf.valueAndGrads((...inputs: tf.Tensor[]) => {
      const terms = loss(forwardOf(inputs as tf.Tensor5D[]), target, context);
      for (const [name, term] of Object.entries(terms)) items[name] = valueOf(term);
      return tf.mul<tf.Scalar>(tf.addN(Object.values(terms)), 4);
    })(heads);
    const [box, obj, cls] = expected.items_box_obj_cls;
    for (const [name, reference] of Object.entries({ box, obj, cls })) {
      assert.ok(
        relativeError(items[name] ?? NaN, reference) < 1e-5,
        `${name}: ${items[name] ?? NaN} for ${reference}`,
      );
    }
    assert.ok(relativeError(valueOf(value), expected.loss_total_times_batch) < 1e-5);
    LEVELS.forEach((level, i) => {
      const difference = largestDifference(
        torchData(grads[i] as tf.Tensor),
        referenceFloats(`C_grad_${level}.npy`).data,
      );
      assert.ok(difference < 1e-7, `${level}: ${difference}`);
    });
  });

  test('without a label only objectness is left', () => {
    const expected = (referenceJson('ref', 'C_loss.json') as LossReference).empty_targets;
    const terms = loss(
      forwardOf(referenceHeads('B_heads_320')),
      targetOf(new Float32Array(0), allLabelled(4)),
      contextOf(80, gains),
    );
    assert.equal(valueOf(terms['box']), 0);
    assert.equal(valueOf(terms['cls']), 0);
    assert.ok(relativeError(valueOf(terms['obj']), expected.items[1]) < 1e-5);
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { isSoftshardError } from '../../src/errors.ts';
import type { LossTarget } from '../../src/loss/loss.ts';
import { createSoftOutputLoss, type SoftOutputLossOptions } from '../../src/loss/output-soft.ts';
import type { HeadSpec } from '../../src/model/detector.ts';
import { gradientError } from './finite-differences.ts';
import { vectorHeads } from './vectors.ts';
import {
  absoluteSum,
  allLabelled,
  contextOf,
  forwardOf,
  headSpec,
  relativeError,
  targetOf,
  valueOf,
} from './on-engine.ts';

const none = new Float32Array(0);
const gains = { box: 0.05, obj: 1, cls: 0.5 };
const context = contextOf(3, gains);

/** Teacher heads that see something in some rows: objectness between about -6 and 3. */
const teacherHeads = (): tf.Tensor5D[] => vectorHeads((v) => 1.7 * v + Math.sin(7 * v));

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const entropy = (x: number, p: number): number => Math.max(x, 0) - x * p + Math.log1p(Math.exp(-Math.abs(x)));

/** CIoU of two boxes (x, y, w, h), in float64 and straight from its definition. */
function ciou(p: readonly number[], t: readonly number[]): number {
  const [px = 0, py = 0, pw = 0, ph = 0] = p;
  const [tx = 0, ty = 0, tw = 0, th = 0] = t;
  const side = (a: number, b: number, c: number, d: number): [number, number] => [
    Math.max(0, Math.min(a + b / 2, c + d / 2) - Math.max(a - b / 2, c - d / 2)),
    Math.max(a + b / 2, c + d / 2) - Math.min(a - b / 2, c - d / 2),
  ];
  const [ix, cx] = side(px, pw, tx, tw);
  const [iy, cy] = side(py, ph, ty, th);
  const iou = (ix * iy) / (pw * ph + tw * th - ix * iy + 1e-7);
  const v = (4 / Math.PI ** 2) * (Math.atan(tw / th) - Math.atan(pw / ph)) ** 2;
  const alpha = v / (v - iou + 1 + 1e-7);
  return iou - ((px - tx) ** 2 + (py - ty) ** 2) / (cx * cx + cy * cy + 1e-7) - alpha * v;
}

const decoded = (row: readonly number[], anchor: readonly number[]): number[] => [
  2 * sigmoid(row[0] ?? NaN) - 0.5,
  2 * sigmoid(row[1] ?? NaN) - 0.5,
  (2 * sigmoid(row[2] ?? NaN)) ** 2 * (anchor[0] ?? NaN),
  (2 * sigmoid(row[3] ?? NaN)) ** 2 * (anchor[1] ?? NaN),
];

/** The definition, row by row in float64. */
function definition(
  student: readonly tf.Tensor5D[],
  teacher: readonly tf.Tensor5D[],
  spec: HeadSpec,
  T: number,
): Record<string, number> {
  const terms = { box: 0, obj: 0, cls: 0 };
  student.forEach((head, level) => {
    const rowsOf = (x: tf.Tensor5D | undefined): number[][] =>
      tf.reshape<tf.Rank.R2>(x as tf.Tensor5D, [-1, spec.no]).arraySync();
    const s = rowsOf(head);
    const t = rowsOf(teacher[level]);
    const w = t.map((row) => sigmoid(row[4] ?? NaN));
    const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
    terms.obj +=
      ([4, 1, 0.4][level] ?? NaN) * (sum(s.map((row, i) => entropy(row[4] ?? NaN, w[i] ?? NaN))) / s.length);
    const classes = s.map(
      (row, i) =>
        sum(row.slice(5).map((x, k) => entropy(x / T, sigmoid((t[i]?.[5 + k] ?? NaN) / T)))) / spec.nc,
    );
    terms.cls += (T * T * sum(classes.map((c, i) => c * (w[i] ?? NaN)))) / sum(w);
    const stride = spec.strides[level] ?? NaN;
    const anchors = (spec.anchors[level] ?? []).map((anchor) => anchor.map((side) => side / stride));
    const seen = w.map((weight, i) => ({ weight, i })).filter(({ weight }) => weight > 0.01);
    const boxes = seen.map(({ weight, i }) => {
      const anchor = anchors[i % spec.na] ?? [];
      return weight * (1 - ciou(decoded(s[i] ?? [], anchor), decoded(t[i] ?? [], anchor)));
    });
    if (seen.length > 0) terms.box += sum(boxes) / sum(seen.map(({ weight }) => weight));
  });
  return { box: terms.box * gains.box, obj: terms.obj * gains.obj, cls: terms.cls * gains.cls };
}

const objectnessOf = (heads: readonly tf.Tensor5D[]): Float32Array[] =>
  heads.map((head) => tf.slice(tf.reshape(head, [-1, 8]), [0, 4], [-1, 1]).dataSync() as Float32Array);

describe('soft output distillation', () => {
  for (const temperature of [1, 3]) {
    test(`terms equal the definition at temperature ${temperature}`, () => {
      const loss = createSoftOutputLoss({ temperature });
      const terms = loss(forwardOf(vectorHeads()), targetOf(none, allLabelled(2), teacherHeads()), context);
      const expected = definition(vectorHeads(), teacherHeads(), headSpec(3), temperature);
      for (const [name, value] of Object.entries(expected)) {
        const error = relativeError(valueOf(terms[name]), value);
        assert.ok(error < 1e-5, `${name}: ${error}`);
      }
    });
  }

  const total = (
    heads: readonly tf.Tensor5D[],
    target: LossTarget,
    options?: SoftOutputLossOptions,
  ): tf.Scalar => tf.addN(Object.values(createSoftOutputLoss(options)(forwardOf(heads), target, context)));

  for (const temperature of [1, 2]) {
    test(`objectness and class gradients equal finite differences at temperature ${temperature}`, () => {
      const [fine, middle, coarse] = vectorHeads();
      assert.ok(fine && middle && coarse);
      const target = targetOf(none, allLabelled(2), teacherHeads());
      const boxes = tf.slice(coarse, [0, 0, 0, 0, 0], [-1, -1, -1, -1, 4]);
      const logits = tf.slice(coarse, [0, 0, 0, 0, 4], [-1, -1, -1, -1, 4]);
      const error = gradientError(
        (x) => total([fine, middle, tf.concat([boxes, x as tf.Tensor5D], 4)], target, { temperature }),
        logits.dataSync(),
        logits.shape,
        0.05,
      );
      assert.ok(error < 5e-5, `${error}`);
    });
  }

  test('a student that equals the teacher has no box term, and no gradient but rounding', () => {
    const target = targetOf(none, allLabelled(2), teacherHeads());
    const terms = createSoftOutputLoss()(forwardOf(teacherHeads()), target, context);
    assert.ok(valueOf(terms['box']) < 1e-6);
    const gradients = tf.grads((...heads: tf.Tensor[]) => total(heads as tf.Tensor5D[], target))(
      teacherHeads(),
    );
    for (const gradient of gradients) {
      const sum = absoluteSum(gradient.dataSync());
      assert.ok(sum < 1e-6, `${sum}`);
    }
  });

  test('the copy of the objectness on the host replaces the read', () => {
    const heads = teacherHeads();
    const read = targetOf(none, allLabelled(2), heads);
    const copied: LossTarget = { ...read, teacher: { heads, teacherObjectness: objectnessOf(heads) } };
    assert.equal(valueOf(total(vectorHeads(), copied)), valueOf(total(vectorHeads(), read)));
    const short = objectnessOf(heads).map((level) => level.subarray(1));
    assert.throws(
      () => total(vectorHeads(), { ...read, teacher: { heads, teacherObjectness: short } }),
      (error) => isSoftshardError(error, 'E_LOSS'),
    );
  });

  test('a teacher that sees nothing gives no box term and stays finite', () => {
    const blind = teacherHeads().map((head) => tf.sub<tf.Tensor5D>(head, 300));
    const terms = createSoftOutputLoss()(
      forwardOf(vectorHeads()),
      targetOf(none, allLabelled(2), blind),
      context,
    );
    assert.equal(valueOf(terms['box']), 0);
    assert.ok(Object.values(terms).every((term) => Number.isFinite(valueOf(term))));
  });

  test('nothing stays allocated', () => {
    const heads = vectorHeads();
    const teacher = teacherHeads();
    const target = targetOf(none, allLabelled(2), teacher);
    const before = tf.memory().numTensors;
    tf.dispose(createSoftOutputLoss({ temperature: 2 })(forwardOf(heads), target, context));
    assert.equal(tf.memory().numTensors, before);
    const found = tf.grads((...inputs: tf.Tensor[]) => total(inputs as tf.Tensor5D[], target))(heads);
    assert.equal(tf.memory().numTensors, before + 3);
    tf.dispose(found);
  });

  test('a temperature of zero is E_LOSS', () => {
    assert.throws(
      () => createSoftOutputLoss({ temperature: 0 }),
      (error) => isSoftshardError(error, 'E_LOSS'),
    );
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { isSoftshardError } from '../../src/errors.ts';
import { createHardLoss } from '../../src/loss/hard-loss.ts';
import { assignTargets } from '../../src/loss/assign-targets.ts';
import type { LossTarget } from '../../src/loss/loss.ts';
import { createPseudoLabelLoss } from '../../src/loss/output-pseudo.ts';
import { pseudoLabelOptions, pseudoLabels } from '../../src/loss/pseudo-labels.ts';
import { decodeHeads } from '../../src/metric/box-decode.ts';
import { nonMaxSuppression } from '../../src/metric/nms.ts';
import { gradientError } from './finite-differences.ts';
import { VECTOR_GRIDS, vectorHeads, vectorLabels } from './vectors.ts';
import {
  absoluteSum,
  allLabelled,
  contextOf,
  forwardOf,
  headSpec,
  largestDifference,
  relativeError,
  targetOf,
  valueOf,
} from './on-engine.ts';

const gains = { box: 0.05, obj: 1, cls: 0.5 };
const context = contextOf(3, gains);
const spec = headSpec(3);
const WIDTH = 9;

/** A teacher that sees something in a few rows. */
const teacherHeads = (): tf.Tensor5D[] => vectorHeads((v) => 2 * v + 3 + Math.sin(7 * v));
const host = (heads: readonly tf.Tensor5D[]) =>
  heads.map((head) => ({ shape: head.shape.slice(1), data: head.dataSync<'float32'>() }));
const selection = pseudoLabelOptions({});
const rowsOf = (): Float32Array => pseudoLabels(host(teacherHeads()), 2, spec, selection);

describe('the rows', () => {
  test('are the detections of each image, clipped and normalised, with the logits of their row', () => {
    const rows = rowsOf();
    assert.ok(rows.length > 0 && rows.length % WIDTH === 0);
    const heads = host(teacherHeads());
    let at = 0;
    for (const image of [0, 1]) {
      const levels = heads.map(({ shape, data }) => {
        const size = data.length / 2;
        const [ny = 0, nx = 0] = shape;
        return { data: data.subarray(image * size, (image + 1) * size), ny, nx };
      });
      const found = nonMaxSuppression(decodeHeads(levels, spec), 3, {
        confThreshold: 0.1,
        iouThreshold: 0.3,
      });
      assert.ok(found.length > 0);
      for (const { x1, y1, x2, y2, classIndex, score } of found) {
        const [i, c = -1, cx = 0, cy = 0, w = 0, h = 0, ...logits] = rows.subarray(at, at + WIDTH);
        assert.deepEqual([i, c], [image, classIndex]);
        const corners = [(cx - w / 2) * 96, (cy - h / 2) * 64, (cx + w / 2) * 96, (cy + h / 2) * 64];
        const clipped = [x1, y1, x2, y2].map((v, k) => Math.min(Math.max(v, 0), k % 2 === 0 ? 96 : 64));
        assert.ok(largestDifference(corners, clipped) < 1e-3);
        // The best class of its row, whose probability is at least the score: one sigmoid each.
        assert.equal(logits.indexOf(Math.max(...logits)), c);
        assert.ok(1 / (1 + Math.exp(-(logits[c] ?? NaN))) >= score - 1e-6);
        at += WIDTH;
      }
    }
    assert.equal(at, rows.length);
  });

  test('fewer come with a higher threshold or a limit, none from a teacher that sees nothing', () => {
    const count = (options: Parameters<typeof pseudoLabelOptions>[0]): number =>
      pseudoLabels(host(teacherHeads()), 2, spec, pseudoLabelOptions(options)).length / WIDTH;
    assert.ok(count({ confidence: 0.5 }) < count({}));
    assert.equal(count({ maxDetections: 1 }), 2);
    assert.equal(pseudoLabels(host(vectorHeads((v) => v - 50)), 2, spec, selection).length, 0);
  });
});

const target = (rows = rowsOf()): LossTarget => ({
  labels: vectorLabels(),
  labelled: [false, false],
  teacher: { rows },
});

describe('pseudo-labels', () => {
  test('box and objectness are the hard loss against the teacher’s detections, annotated or not', () => {
    const rows = rowsOf();
    const labels = Float32Array.from(
      Array.from({ length: rows.length / WIDTH }, (_, i) => [
        ...rows.subarray(i * WIDTH, i * WIDTH + 6),
      ]).flat(),
    );
    const hard = createHardLoss()(forwardOf(vectorHeads()), targetOf(labels, allLabelled(2)), context);
    const found = createPseudoLabelLoss()(forwardOf(vectorHeads()), target(rows), context);
    assert.equal(valueOf(found['box']), valueOf(hard['box']));
    assert.equal(valueOf(found['obj']), valueOf(hard['obj']));
  });

  for (const classes of ['l2', 'softmax', 'sigmoid'] as const) {
    test(`the class term ${classes}: the definition`, () => {
      const T = classes === 'l2' ? 1 : 2;
      const rows = rowsOf();
      const labels = Float32Array.from(
        Array.from({ length: rows.length / WIDTH }, (_, i) => [
          ...rows.subarray(i * WIDTH, i * WIDTH + 6),
        ]).flat(),
      );
      const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
      const distribution = (x: readonly number[]): number[] => {
        const e = x.map((v) => Math.exp(v / T));
        return e.map((v) => v / sum(e));
      };
      const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
      const distance = (s: readonly number[], t: readonly number[]): number => {
        if (classes === 'l2') return sum(s.map((x, k) => (x - (t[k] ?? NaN)) ** 2)) / 3;
        if (classes === 'softmax') {
          const p = distribution(s);
          return T * T * sum(distribution(t).map((q, k) => q * Math.log(q / (p[k] ?? NaN))));
        }
        const each = s.map((x, k) => {
          const [p, q] = [sigmoid(x / T), sigmoid((t[k] ?? NaN) / T)];
          return q * Math.log(q / p) + (1 - q) * Math.log((1 - q) / (1 - p));
        });
        return (T * T * sum(each)) / 3;
      };
      let expected = 0;
      assignTargets(labels, spec, VECTOR_GRIDS).forEach((found, level) => {
        const grid = VECTOR_GRIDS[level];
        assert.ok(grid);
        if (found.count === 0) return;
        const head = vectorHeads()[level]?.dataSync() ?? [];
        const all = Array.from({ length: found.count }, (_, i) => {
          const [b = 0, y = 0, x = 0, a = 0, label = 0] = [
            ...[found.image[i], found.gridY[i], found.gridX[i], found.anchor[i], found.label[i]],
          ];
          const at = (((b * grid.ny + y) * grid.nx + x) * 3 + a) * 8 + 5;
          return distance(
            Array.from(head.slice(at, at + 3)),
            Array.from(rows.subarray(label * WIDTH + 6, label * WIDTH + 9)),
          );
        });
        expected += sum(all) / found.count;
      });
      const loss = createPseudoLabelLoss({ classes, temperature: T, ratio: 0.5 });
      const found = loss(forwardOf(vectorHeads()), target(rows), context);
      assert.ok(relativeError(valueOf(found['cls']), expected * 0.5 * gains.cls) < 1e-5);
    });

    test(`the gradient of class logits equals finite differences: ${classes}`, () => {
      const loss = createPseudoLabelLoss({ classes, temperature: 2, ratio: 0.5 });
      const [fine, middle, coarse] = vectorHeads();
      assert.ok(fine && middle && coarse);
      const given = target();
      const before = tf.slice(middle, [0, 0, 0, 0, 0], [-1, -1, -1, -1, 5]);
      const logits = tf.slice(middle, [0, 0, 0, 0, 5], [-1, -1, -1, -1, 3]);
      const error = gradientError(
        (x) => {
          const heads = [fine, tf.concat([before, x as tf.Tensor5D], 4), coarse];
          return tf.addN(Object.values(loss(forwardOf(heads), given, context)));
        },
        logits.dataSync(),
        logits.shape,
        0.05,
      );
      assert.ok(error < 1e-4, `${error}`);
    });
  }

  test('without rows the heads are read: the same loss', () => {
    const [s, loss] = [forwardOf(vectorHeads()), createPseudoLabelLoss()];
    const read = loss(s, targetOf(vectorLabels(), [false, false], teacherHeads()), context);
    const given = loss(s, target(), context);
    for (const name of ['box', 'obj', 'cls']) assert.equal(valueOf(read[name]), valueOf(given[name]));
  });

  test('images without a detection teach background', () => {
    const { value, grads } = tf.valueAndGrads((...heads: tf.Tensor[]) =>
      tf.addN(
        Object.values(
          createPseudoLabelLoss()(forwardOf(heads as tf.Tensor5D[]), target(new Float32Array(0)), context),
        ),
      ),
    )(vectorHeads());
    assert.ok(Number.isFinite(valueOf(value)));
    for (const gradient of grads) assert.ok(absoluteSum(gradient.dataSync()) > 0);
  });

  test('nothing stays allocated; rows of other classes and a missing teacher are E_LOSS', () => {
    const [heads, given] = [vectorHeads(), target()];
    const before = tf.memory().numTensors;
    tf.dispose(createPseudoLabelLoss({ classes: 'softmax' })(forwardOf(heads), given, context));
    assert.equal(tf.memory().numTensors, before);
    const fails = (bad: LossTarget): void => {
      assert.throws(
        () => createPseudoLabelLoss()(forwardOf(heads), bad, context),
        (error) => isSoftshardError(error, 'E_LOSS'),
      );
    };
    fails(target(new Float32Array(10)));
    fails(targetOf(vectorLabels(), [true, true]));
  });
});

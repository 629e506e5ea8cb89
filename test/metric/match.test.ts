import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Detection, TrueBox } from '../../src/metric/box.ts';
import { confusionMatrix } from '../../src/metric/confusion-matrix.ts';
import { IOU_THRESHOLDS, matchDetections } from '../../src/metric/match.ts';
import { overlap } from '../../src/metric/overlap.ts';
import { detectionOf, evalVectors, skipWithoutVectors, truthOf, worstDifference } from './eval-vectors.ts';

const bitsOf = (matched: Uint16Array): number[][] =>
  Array.from(matched, (bits) => IOU_THRESHOLDS.map((_, k) => (bits >> k) & 1));

const boxes = <T>(extra: fc.Arbitrary<T>) =>
  fc
    .tuple(fc.nat(60), fc.nat(60), fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 30 }), extra)
    .map(([x, y, w, h, more]) => ({ x1: x, y1: y, x2: x + w, y2: y + h, ...more }));

const truths: fc.Arbitrary<TrueBox[]> = fc.array(boxes(fc.record({ classIndex: fc.nat(2) })), {
  maxLength: 8,
});
const detections: fc.Arbitrary<Detection[]> = fc
  .uniqueArray(fc.integer({ min: 1, max: 999 }), { maxLength: 15 })
  .chain((scores) =>
    fc.tuple(
      ...scores
        .sort((a, b) => b - a)
        .map((s) => boxes(fc.record({ classIndex: fc.nat(2), score: fc.constant(s / 1000) }))),
    ),
  );

describe('matching', () => {
  test('equals the vector', { skip: skipWithoutVectors }, () => {
    const { det, lab, correct, iou } = evalVectors().process_batch;
    assert.deepEqual(bitsOf(matchDetections(det.map(detectionOf), lab.map(truthOf))), correct);
    const overlaps = lab.map((l) => det.map((d) => overlap(truthOf(l), detectionOf(d), 1e-7)));
    assert.ok(worstDifference(overlaps, iou) < 1e-7);
  });

  test('gives each label to at most one detection, of its class and over the threshold', () => {
    fc.assert(
      fc.property(detections, truths, (found, labels) => {
        const matched = bitsOf(matchDetections(found, labels));
        IOU_THRESHOLDS.forEach((threshold, k) => {
          const hits = found.filter((_, i) => matched[i]?.[k] === 1);
          for (const c of [0, 1, 2]) {
            const count = (list: readonly { classIndex: number }[]) =>
              list.filter(({ classIndex }) => classIndex === c).length;
            assert.ok(count(hits) <= count(labels));
          }
          for (const hit of hits) {
            assert.ok(
              labels.some((l) => l.classIndex === hit.classIndex && overlap(l, hit, 1e-7) >= threshold),
            );
          }
        });
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  test('finds the labels themselves', () => {
    fc.assert(
      fc.property(truths, (labels) => {
        const apart = labels.map((l, i) => ({ ...l, x1: l.x1 + i * 200, x2: l.x2 + i * 200 }));
        const found = apart.map((l) => ({ ...l, score: 0.5 }));
        assert.ok(matchDetections(found, apart).every((bits) => bits === 1023));
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  test('prefers the higher score to the greater overlap', () => {
    const label = { x1: 0, y1: 0, x2: 10, y2: 10, classIndex: 0 };
    const found = [
      { ...label, x2: 9, score: 0.9 },
      { ...label, score: 0.8 },
    ];
    const matched = bitsOf(matchDetections(found, [label]));
    assert.deepEqual(
      matched.map((row) => row[0]),
      [1, 0],
    );
    assert.deepEqual(
      matched.map((row) => row[9]),
      [0, 1],
    );
  });

  test('of nothing is nothing', () => {
    const box = { x1: 0, y1: 0, x2: 1, y2: 1, classIndex: 0 };
    assert.deepEqual(matchDetections([], [box]), new Uint16Array());
    assert.deepEqual(matchDetections([{ ...box, score: 1 }], []), new Uint16Array(1));
  });
});

describe('the confusion matrix', () => {
  test('equals the vector', { skip: skipWithoutVectors }, () => {
    const { process_batch: batch, confusion } = evalVectors();
    const matrix = confusionMatrix(3);
    matrix.add(batch.det.map(detectionOf), batch.lab.map(truthOf));
    assert.deepEqual(matrix.counts(), confusion);
  });

  test('counts every label and every sure detection once', () => {
    fc.assert(
      fc.property(detections, truths, (found, labels) => {
        const matrix = confusionMatrix(3, 0.25);
        matrix.add(found, labels);
        const counts = matrix.counts();
        const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);
        for (const c of [0, 1, 2]) {
          assert.equal(
            sum(counts.map((row) => row[c] ?? 0)),
            labels.filter(({ classIndex }) => classIndex === c).length,
          );
          assert.equal(
            sum(counts[c] ?? []),
            found.filter(({ classIndex, score }) => classIndex === c && score > 0.25).length,
          );
        }
      }),
      { numRuns: 200, seed: 1 },
    );
  });
});

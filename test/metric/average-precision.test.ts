import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { areaUnderPrecision, averagePrecision } from '../../src/metric/average-precision.ts';
import { fitness } from '../../src/metric/fitness.ts';
import { boxSmooth, interpolate } from '../../src/metric/interpolate.ts';
import { evalVectors, skipWithoutVectors } from './eval-vectors.ts';

const near = (found: number, expected: number, tolerance = 1e-9): void => {
  assert.ok(Math.abs(found - expected) <= tolerance, `${found} is not ${expected}`);
};

describe('average precision', { skip: skipWithoutVectors }, () => {
  test('equals the vector of three classes and an absent one', () => {
    const { ap } = evalVectors();
    const n = 40;
    const labels = [0, 0, 0, 0, 0];
    for (const c of ap.target_cls) labels[c] = (labels[c] ?? 0) + 1;
    const { classes } = averagePrecision(
      {
        scores: Float32Array.from({ length: n }, (_, i) => ((37 * i) % 101) / 101),
        classes: Int32Array.from({ length: n }, (_, i) => i % 3),
        matched: Uint16Array.from({ length: n }, (_, i) =>
          [0, 1, 2, 3].reduce((bits, k) => bits | ((11 * i + 3 * k) % 7 >= 2 + k ? 1 << k : 0), 0),
        ),
      },
      labels,
      4,
    );
    assert.deepEqual(
      classes.map((c) => c.classIndex),
      ap.classes,
    );
    classes.forEach((c, i) => {
      assert.equal(c.truePositives, ap.tp_out[i]);
      assert.equal(c.falsePositives, ap.fp_out[i]);
      near(c.precision, ap.p[i] ?? NaN);
      near(c.recall, ap.r[i] ?? NaN);
      near(c.f1, ap.f1[i] ?? NaN);
      c.ap.forEach((value, k) => near(value, ap.ap[i]?.[k] ?? NaN));
    });
  });

  test('integrates as the vectors do', () => {
    for (const { recall, precision, ap } of evalVectors().compute_ap) {
      near(areaUnderPrecision(recall, precision), ap);
    }
  });

  test('smooths as the vector does', () => {
    const { first5, last } = evalVectors().smooth;
    const smooth = boxSmooth(
      Float64Array.from({ length: 50 }, (_, i) => Math.sin(i / 10)),
      0.1,
    );
    first5.forEach((value, i) => near(smooth[i] ?? NaN, value, 1e-12));
    near(smooth.at(-1) ?? NaN, last, 1e-12);
  });

  test('fitness equals the vector', () => {
    near(fitness({ mAP50: 0.6, mAP50_95: 0.3 }), evalVectors().fitness[0] ?? NaN, 1e-12);
  });
});

const matches = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.nat(2), fc.nat(1023)), { maxLength: 60 })
  .map((rows) => ({
    scores: Float32Array.from(rows, ([s]) => s / 1000),
    classes: Int32Array.from(rows, ([, c]) => c),
    matched: Uint16Array.from(rows, ([, , m]) => m),
  }));

describe('the curve', () => {
  test('gives figures in 0…1, AP at most 0.995', () => {
    fc.assert(
      fc.property(matches, (m) => {
        // As many labels as matches could need.
        for (const c of averagePrecision(m, [60, 60, 60]).classes) {
          for (const ap of c.ap) assert.ok(ap >= 0 && ap <= 0.995 + 1e-12);
          for (const value of [c.precision, c.recall, c.f1]) assert.ok(value >= 0 && value <= 1);
        }
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  test('of a perfect detector has 0.995, of a blind one 0', () => {
    const scores = Float32Array.from([0.9, 0.8]);
    const classes = Int32Array.from([0, 0]);
    const ap = (matched: number[]) =>
      averagePrecision({ scores, classes, matched: Uint16Array.from(matched) }, [2]).classes[0];
    assert.ok(ap([1023, 1023])?.ap.every((value) => Math.abs(value - 0.995) < 1e-12));
    assert.equal(ap([1023, 1023])?.precision, 1);
    assert.equal(ap([1023, 1023])?.recall, 1);
    assert.deepEqual(ap([0, 0])?.ap, new Array<number>(10).fill(0));
  });

  test('has no classes without labels', () => {
    const none = { scores: new Float32Array(), classes: new Int32Array(), matched: new Uint16Array() };
    const { classes, confidence, curves } = averagePrecision(none, [0, 0]);
    assert.deepEqual([classes, confidence], [[], 0]);
    assert.ok(curves.f1.every((value) => value === 0));
    assert.equal(averagePrecision(none, [0, 3]).classes[0]?.ap[0], 0);
  });
});

describe('interpolation', () => {
  test('takes the right-most of equal abscissae and the end values outside', () => {
    assert.equal(interpolate(1, [0, 1, 1, 2], [0, 5, 7, 8]), 7);
    assert.equal(interpolate(0.5, [0, 1, 1, 2], [0, 5, 7, 8]), 2.5);
    assert.equal(interpolate(-1, [0, 1], [3, 4]), 3);
    assert.equal(interpolate(-1, [0, 1], [3, 4], 9), 9);
    assert.equal(interpolate(5, [0, 1], [3, 4]), 4);
  });
});

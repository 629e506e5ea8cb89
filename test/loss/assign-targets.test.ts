import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isSoftshardError } from '../../src/errors.ts';
import { assignTargets } from '../../src/loss/assign-targets.ts';
import { referenceFloats, referenceNpy, skipWithoutReference } from '../reference.ts';
import { lossVectors, VECTOR_GRIDS, vectorLabels } from './vectors.ts';
import { headSpec, largestDifference } from './on-engine.ts';

const rows = (columns: readonly ArrayLike<number>[], count: number): number[][] =>
  Array.from({ length: count }, (_, i) => columns.map((column) => column[i] ?? NaN));

test('the small vectors are matched row by row', () => {
  const levels = assignTargets(vectorLabels(), headSpec(3), VECTOR_GRIDS);
  lossVectors.build_targets.forEach(({ n, rows_b_a_gj_gi_cls_tx_ty_tw_th_aw_ah: expected }, level) => {
    const found = levels[level];
    assert.ok(found);
    assert.equal(found.count, n);
    const integers = rows([found.image, found.anchor, found.gridY, found.gridX, found.classIndex], n);
    assert.deepEqual(
      integers,
      expected.map((row) => row.slice(0, 5)),
    );
    assert.ok(
      largestDifference(
        found.box,
        expected.flatMap((row) => row.slice(5, 9)),
      ) < 1e-5,
    );
    assert.deepEqual(
      [...found.anchorSize],
      expected.flatMap((row) => row.slice(9, 11)),
    );
  });
});

describe('43 real labels at 320', { skip: skipWithoutReference }, () => {
  const grids = [40, 20, 10].map((n) => ({ ny: n, nx: n }));
  ['p3', 'p4', 'p5'].forEach((name, level) => {
    test(`rows of ${name} are those of the reference, order included`, () => {
      const found = assignTargets(referenceFloats('C_targets.npy').data, headSpec(80), grids)[level];
      assert.ok(found);
      const indices = referenceNpy(`C_bt_indices_${name}.npy`);
      assert.deepEqual(
        rows([found.image, found.anchor, found.gridY, found.gridX], found.count).flat(),
        Array.from(indices.data, Number),
      );
      assert.deepEqual(found.anchorSize, referenceFloats(`C_bt_anchors_${name}.npy`).data);
      assert.deepEqual([...found.classIndex], Array.from(referenceNpy(`C_bt_tcls_${name}.npy`).data, Number));
      assert.ok(largestDifference(found.box, referenceFloats(`C_bt_tbox_${name}.npy`).data) < 1e-5);
    });
  });
});

test('a centre on a grid line takes five cells, one in a corner of the image a single one', () => {
  const grids = [{ ny: 8, nx: 8 }];
  const count = (cx: number, cy: number): number[] =>
    [assignTargets(Float32Array.of(0, 0, cx, cy, 0.2, 0.2), headSpec(1), grids)[0]].map(
      (level) => level?.count ?? 0,
    );
  const anchors = count(0.05, 0.05)[0] ?? 0; // matched anchors: own cell only, no neighbour inside the image
  assert.ok(anchors > 0);
  assert.deepEqual(count(0.5, 0.5), [5 * anchors]);
  assert.deepEqual(count(0.45, 0.45), [3 * anchors]);
});

test('every row lies inside the grid, within a cell and a half of its label, in at most five cells', () => {
  const unit = fc.float({ min: 0, max: 1, noNaN: true });
  const label = fc.tuple(fc.nat(3), fc.nat(2), unit, unit, unit, unit);
  fc.assert(
    fc.property(fc.array(label, { maxLength: 8 }), (labels) => {
      const flat = Float32Array.from(labels.flat());
      assignTargets(flat, headSpec(3), VECTOR_GRIDS).forEach((level, l) => {
        const grid = VECTOR_GRIDS[l];
        assert.ok(grid);
        assert.ok(level.count <= labels.length * 3 * 5);
        for (let i = 0; i < level.count; i++) {
          assert.ok((level.gridX[i] ?? -1) >= 0 && (level.gridX[i] ?? 99) < grid.nx);
          assert.ok((level.gridY[i] ?? -1) >= 0 && (level.gridY[i] ?? 99) < grid.ny);
          const [x = NaN, y = NaN] = level.box.subarray(4 * i, 4 * i + 2);
          assert.ok(x >= -0.5 && x <= 1.5 && y >= -0.5 && y <= 1.5);
        }
      });
    }),
    { seed: 1, numRuns: 200 },
  );
});

test('malformed labels and surplus heads are E_LOSS', () => {
  assert.throws(
    () => assignTargets(new Float32Array(5), headSpec(1), VECTOR_GRIDS),
    (error) => isSoftshardError(error, 'E_LOSS'),
  );
  assert.throws(
    () => assignTargets(new Float32Array(6), headSpec(1), [...VECTOR_GRIDS, { ny: 1, nx: 1 }]),
    (error) => isSoftshardError(error, 'E_LOSS'),
  );
});

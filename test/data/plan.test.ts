/** The plan covers every view once, in order, in units that never cross a view index. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { makePlan } from '../../src/data/plan.ts';
import { isSoftshardError } from '../../src/errors.ts';

test('units hold every view once, view-major, and never cross a view index', () => {
  const count = fc.integer({ min: 1, max: 60 });
  fc.assert(
    fc.property(count, fc.integer({ min: 1, max: 5 }), count, (samples, views, unitViews) => {
      const { units } = makePlan({ samples, views, unitViews });
      const keys = units.flatMap((unit) => unit.views);
      assert.deepEqual(
        keys.map((key) => key.view * samples + key.sample),
        Array.from({ length: samples * views }, (_, i) => i),
      );
      for (const [i, unit] of units.entries()) {
        assert.equal(unit.index, i);
        assert.ok(unit.views.length >= 1 && unit.views.length <= unitViews);
        assert.ok(unit.views.every((key) => key.view === unit.view));
      }
      assert.equal(units.length, views * Math.ceil(samples / unitViews));
    }),
    { seed: 1, numRuns: 200 },
  );
});

test('more views keep the units there were', () => {
  const options = { samples: 10, unitViews: 4 };
  const few = makePlan({ ...options, views: 2 }).units;
  assert.deepEqual(makePlan({ ...options, views: 3 }).units.slice(0, few.length), few);
});

test('nothing to plan and bad counts are refused', () => {
  assert.throws(
    () => makePlan({ samples: 0, views: 1, unitViews: 4 }),
    (error: unknown) => isSoftshardError(error, 'E_DATA_EMPTY'),
  );
  for (const bad of [{ views: 0 }, { views: 1.5 }, { unitViews: 0 }, { unitViews: NaN }]) {
    assert.throws(
      () => makePlan({ samples: 3, views: 1, unitViews: 4, ...bad }),
      (error: unknown) => isSoftshardError(error, 'E_USAGE'),
    );
  }
});

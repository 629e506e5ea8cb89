import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { viewAt } from '../../src/train/view-index.ts';

const schedule = fc
  .record({ views: fc.integer({ min: 1, max: 20 }), epochs: fc.integer({ min: 1, max: 40 }) })
  .chain(({ views, epochs }) =>
    fc.record({ views: fc.constant(views), epochs: fc.constant(epochs), closed: fc.nat(views - 1) }),
  );

test('the last k epochs use the last k views alone, the others none of them', () => {
  fc.assert(
    fc.property(schedule, fc.nat(100), ({ views, epochs, closed }, pass) => {
      for (let epoch = 0; epoch < epochs; epoch++) {
        const { view, isClosed } = viewAt({ views, epochs, closed }, epoch, pass);
        assert.equal(isClosed, epoch >= epochs - closed);
        assert.equal(view >= views - closed, isClosed);
        assert.ok(view >= 0 && view < views);
      }
    }),
    { seed: 1, numRuns: 200 },
  );
});

test('as many views as epochs are the epochs in turn, as with fresh views', () => {
  for (const closed of [0, 3]) {
    for (let epoch = 0; epoch < 10; epoch++) {
      const fixed = viewAt({ views: 10, epochs: 10, closed }, epoch, epoch);
      assert.deepEqual(fixed, viewAt({ views: 0, epochs: 10, closed }, epoch, epoch));
      assert.equal(fixed.view, epoch);
    }
  }
});

test('epoch e uses view e mod V', () => {
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 6].map((e) => viewAt({ views: 3, epochs: 7, closed: 0 }, e, e).view),
    [0, 1, 2, 0, 1, 2, 0],
  );
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 6].map((e) => viewAt({ views: 5, epochs: 7, closed: 2 }, e, e).view),
    [0, 1, 2, 0, 1, 3, 4],
  );
});

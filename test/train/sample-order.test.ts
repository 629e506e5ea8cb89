import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { permutation } from '../../src/random/permutation.ts';
import { drawKey } from '../../src/random/keyed.ts';
import { purposeConstant } from '../../src/random/purpose.ts';
import { batchesPerEpoch, createBatches, ORDER_PURPOSES, passOrder } from '../../src/train/sample-order.ts';

const sizes = fc.record({
  samples: fc.integer({ min: 1, max: 300 }),
  unitViews: fc.integer({ min: 1, max: 80 }),
  shuffleViews: fc.integer({ min: 1, max: 200 }),
  seed: fc.nat(),
  batchSize: fc.integer({ min: 1, max: 32 }),
  stepsPerEpoch: fc.constantFrom(0, 1, 7),
});

test('a pass holds every sample once, whatever the sizes', () => {
  fc.assert(
    fc.property(sizes, fc.nat(50), (options, pass) => {
      const order = [...passOrder(options, pass)].sort((a, b) => a - b);
      assert.deepEqual(
        order,
        Array.from({ length: options.samples }, (_, i) => i),
      );
    }),
    { seed: 1, numRuns: 100 },
  );
});

test('the batches of an epoch depend on nothing but the options: no state between calls', () => {
  fc.assert(
    fc.property(sizes, fc.nat(5), (options, epoch) => {
      const count = batchesPerEpoch(options);
      const forward = createBatches(options);
      const first = Array.from({ length: count }, (_, i) => forward(epoch, i));
      const backward = createBatches(options);
      const second = Array.from({ length: count }, (_, i) => backward(epoch, count - 1 - i)).reverse();
      assert.deepEqual(second, first);
      const items = first.flat();
      if (options.stepsPerEpoch === 0) {
        assert.equal(items.length, options.samples);
        assert.ok(items.every((item) => item.pass === epoch));
      } else {
        assert.equal(items.length, options.stepsPerEpoch * options.batchSize);
      }
    }),
    { seed: 1, numRuns: 100 },
  );
});

test('with a fixed number of steps the passes follow one another without a seam', () => {
  const options = { samples: 10, unitViews: 4, shuffleViews: 10, seed: 3, batchSize: 4, stepsPerEpoch: 5 };
  const batches = createBatches(options);
  const items = Array.from({ length: 5 }, (_, i) => batches(0, i)).flat();
  const firstPass = items.slice(0, 10);
  assert.ok(firstPass.every((item) => item.pass === 0));
  assert.deepEqual(new Set(firstPass.map((item) => item.position)).size, 10);
  assert.ok(items.slice(10).every((item) => item.pass === 1));
  assert.notDeepEqual(passOrder(options, 0), passOrder(options, 1));
});

test('a pass is the units in keyed order, then the views of each window in keyed order', () => {
  const options = { samples: 10, unitViews: 4, shuffleViews: 6, seed: 8 };
  const units = [
    [0, 1, 2, 3],
    [4, 5, 6, 7],
    [8, 9],
  ];
  const inUnits = [...permutation(drawKey(8, 'order-units', 0, 5), 3)].flatMap((unit) => units[unit] ?? []);
  const window = (start: number, index: number, size: number): (number | undefined)[] =>
    [...permutation(drawKey(8, 'order-views', index, 5), size)].map((from) => inUnits[start + from]);
  assert.deepEqual([...passOrder(options, 5)], [...window(0, 0, 6), ...window(6, 1, 4)]);
  assert.equal(new Set(ORDER_PURPOSES.map(purposeConstant)).size, 6);
});

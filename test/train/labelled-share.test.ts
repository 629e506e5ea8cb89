import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isSoftshardError } from '../../src/errors.ts';
import { labelledShare } from '../../src/train/labelled-share.ts';
import {
  batchesPerEpoch,
  createBatches,
  type BatchItem,
  type EpochOptions,
} from '../../src/train/sample-order.ts';

const participants = (labelled: number, unlabelled: number): { labels: [] | undefined }[] =>
  Array.from({ length: labelled + unlabelled }, (_, i) => ({
    // Labelled samples lie spread among the others.
    labels: ((i + 1) * labelled) % (labelled + unlabelled) < labelled ? [] : undefined,
  }));

const cases = fc.record({
  labelled: fc.integer({ min: 1, max: 40 }),
  unlabelled: fc.integer({ min: 1, max: 200 }),
  share: fc.double({ min: 0.01, max: 1, noNaN: true }),
  batchSize: fc.integer({ min: 1, max: 16 }),
  unitViews: fc.integer({ min: 1, max: 64 }),
  shuffleViews: fc.integer({ min: 1, max: 200 }),
  stepsPerEpoch: fc.constantFrom(0, 1, 13),
  seed: fc.nat(),
});
type Case = Parameters<typeof optionsOf>[0];

function optionsOf(of: {
  readonly labelled: number;
  readonly unlabelled: number;
  readonly share: number;
  readonly batchSize: number;
  readonly unitViews: number;
  readonly shuffleViews: number;
  readonly stepsPerEpoch: number;
  readonly seed: number;
}): Required<EpochOptions> & { share: ReturnType<typeof labelledShare> } {
  const { unitViews, shuffleViews, stepsPerEpoch, seed, batchSize } = of;
  const share = labelledShare(participants(of.labelled, of.unlabelled), of.share, batchSize);
  return {
    samples: of.labelled + of.unlabelled,
    unitViews,
    shuffleViews,
    stepsPerEpoch,
    seed,
    batchSize,
    share,
  };
}

const epochs = (of: Case, count: number): (readonly BatchItem[])[] => {
  const options = optionsOf(of);
  const batches = createBatches(options);
  const perEpoch = batchesPerEpoch(options);
  return Array.from({ length: count * perEpoch }, (_, step) =>
    batches(Math.floor(step / perEpoch), step % perEpoch),
  );
};

describe('a labelled share of each batch', () => {
  test('every batch is full and holds round(share * batch) labelled views, at least one', () => {
    fc.assert(
      fc.property(cases, (of) => {
        const { share, batchSize } = optionsOf(of);
        const labelled = new Set(share.labelled);
        assert.equal(share.views, Math.max(1, Math.round(of.share * batchSize)));
        for (const batch of epochs(of, 2)) {
          assert.equal(batch.length, batchSize);
          assert.equal(batch.filter(({ position }) => labelled.has(position)).length, share.views);
        }
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  test('each side sees every sample of its own once a pass, without a seam; pass counts the uses', () => {
    fc.assert(
      fc.property(cases, (of) => {
        const { share } = optionsOf(of);
        const items = epochs(of, 3).flat();
        for (const side of [share.labelled, share.unlabelled]) {
          const own = items.filter(({ position }) => side.includes(position));
          own.forEach(({ pass }, i) => assert.equal(pass, Math.floor(i / side.length)));
          const uses = new Map<number, number>();
          for (const { position, pass } of own) {
            assert.equal(pass, uses.get(position) ?? 0);
            uses.set(position, pass + 1);
          }
        }
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  test('a batch depends on the options and its step alone', () => {
    fc.assert(
      fc.property(cases, fc.nat(300), (of, step) => {
        const options = optionsOf(of);
        const perEpoch = batchesPerEpoch(options);
        const at = (batches: ReturnType<typeof createBatches>, s: number): readonly BatchItem[] =>
          batches(Math.floor(s / perEpoch), s % perEpoch);
        const resumed = at(createBatches(options), step);
        const going = createBatches(options);
        for (const s of [step + 1, 0, Math.floor(step / 2)]) at(going, s);
        assert.deepEqual(at(going, step), resumed);
        // Where an epoch ends decides nothing.
        const other = createBatches({ ...options, stepsPerEpoch: 7 });
        assert.deepEqual(other(Math.floor(step / 7), step % 7), resumed);
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  test('an epoch has as many batches as one pass over all samples', () => {
    const options = { labelled: 20, unlabelled: 185, share: 0.5, unitViews: 64, shuffleViews: 4096, seed: 0 };
    assert.equal(epochs({ ...options, batchSize: 16, stepsPerEpoch: 0 }, 1).length, 13);
  });

  test('an empty side is refused where it is to be drawn from', () => {
    const conflict = (error: unknown): boolean =>
      isSoftshardError(error) && error.code === 'E_OPTION_CONFLICT';
    assert.throws(() => labelledShare(participants(0, 5), 0.5, 8), conflict);
    assert.throws(() => labelledShare(participants(5, 0), 0.5, 8), conflict);
    assert.equal(labelledShare(participants(5, 0), 1, 8).views, 8);
    assert.equal(labelledShare(participants(5, 3), 0.01, 8).views, 1);
  });
});

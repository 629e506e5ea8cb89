import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { LETTERBOX_ONLY, type Augmentation } from '../../src/augment/augmentation.ts';
import { drawView } from '../../src/augment/draw-view.ts';
import { labelledSamples, partnerIdentity, type SampleTable } from '../../src/augment/partners.ts';
import type { ViewRecord } from '../../src/data/view.ts';
import { drawKey, integerBelow } from '../../src/random/keyed.ts';
import { EVERYTHING } from './view-bank.ts';

const MIXED: Augmentation = { ...EVERYTHING, mosaic: 1, mosaic9: undefined, mixup: 1 };

const table = (labelled: readonly boolean[]): SampleTable =>
  labelled.map((is, i) => ({ width: 60 + 7 * i, height: 90 - 3 * (i % 20), labels: is ? [] : undefined }));

const shown = ({ composition, mixup }: ViewRecord): readonly number[] =>
  [...composition.images, ...(mixup?.composition.images ?? [])].map(({ sample }) => sample);

describe('partners of a mosaic and what is mixed in', () => {
  test('a labelled sample is shown beside labelled ones only', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }),
        fc.nat(50),
        fc.nat(),
        (is, view, seed) => {
          const samples = table(is);
          for (const sample of labelledSamples(samples)) {
            const record = drawView({ sample, view }, samples, 64, MIXED, seed);
            assert.equal(shown(record).length, 8);
            assert.ok(shown(record).every((other) => is[other] === true));
          }
        },
      ),
      { seed: 1, numRuns: 100 },
    );
  });

  test('where all are labelled, or none, the draws are those over all samples, to the bit', () => {
    const [all, none] = [table(Array<boolean>(30).fill(true)), table(Array<boolean>(30).fill(false))];
    const sizes = all.map(({ width, height }) => ({ width, height }));
    for (let view = 0; view < 200; view++) {
      const key = { sample: view % 30, view };
      const record = drawView(key, all, 64, EVERYTHING, 11);
      assert.deepEqual(drawView(key, none, 64, EVERYTHING, 11), record);
      assert.deepEqual(drawView(key, sizes, 64, EVERYTHING, 11), record);
    }
  });

  test('the labelled list is drawn from by the documented key, an unlabelled sample’s from all', () => {
    const labelled = [3, 4, 11, 17];
    const samples = table(Array.from({ length: 20 }, (_, i) => labelled.includes(i)));
    for (let view = 0; view < 100; view++) {
      for (const sample of [4, 5]) {
        const key = drawKey(9, 'view.first.partners', sample, view);
        const expected = [0, 1, 2].map((i) =>
          sample === 4 ? labelled[integerBelow(key, i, 4)] : integerBelow(key, i, 20),
        );
        const { images } = drawView({ sample, view }, samples, 64, MIXED, 9).composition;
        const found = images.map((image) => image.sample);
        assert.deepEqual(found.toSorted(), [sample, ...expected].toSorted());
      }
    }
  });

  test('every labelled sample is a partner equally often', () => {
    const samples = table(Array.from({ length: 50 }, (_, i) => i % 5 === 0));
    const counts = new Map<number, number>();
    for (let view = 0; view < 2000; view++) {
      for (const other of shown(drawView({ sample: 0, view }, samples, 64, MIXED, 3)).filter(
        (s) => s !== 0,
      )) {
        counts.set(other, (counts.get(other) ?? 0) + 1);
      }
    }
    assert.equal(counts.size, 9);
    // Seven partners a view, each of ten samples with probability 0.1; 5 standard deviations.
    for (const count of counts.values())
      assert.ok(Math.abs(count - 1400) < 5 * Math.sqrt(1260), String(count));
  });
});

describe('what of it enters an identity', () => {
  const samples = (is: readonly boolean[]): Parameters<typeof partnerIdentity>[0] =>
    is.map((labelled, i) => ({ path: `images/${i}.jpg`, labels: labelled ? [] : undefined }));

  test('which samples are labelled, where that decides pixels', () => {
    const first = partnerIdentity(samples([true, false, false]), MIXED);
    const second = partnerIdentity(samples([false, true, false]), MIXED);
    assert.equal(first?.['labelled'], 1);
    assert.equal(second?.['labelled'], 1);
    assert.match(JSON.stringify(first['digest']), /^"[0-9a-f]{64}"$/);
    assert.notEqual(first['digest'], second['digest']);
  });

  test('nothing without mosaics, or where all samples are alike', () => {
    assert.equal(partnerIdentity(samples([true, false]), LETTERBOX_ONLY), undefined);
    assert.equal(partnerIdentity(samples([true, false]), { ...LETTERBOX_ONLY, mixup: 1 }), undefined);
    assert.equal(partnerIdentity(samples([true, true]), MIXED), undefined);
    assert.equal(partnerIdentity(samples([false, false]), MIXED), undefined);
  });
});

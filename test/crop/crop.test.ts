import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { cropBox, planCrops, type CropOptions } from '../../src/crop/crop-plan.ts';
import { decodeImage } from '../../src/data/decode-image.ts';
import { readDataset } from '../../src/data/read-dataset.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { command } from '../../stages/crop.ts';
import { makeTinyData } from '../tiny-training.ts';
import { silentContext } from '../pipeline/silent-context.ts';

const OPTIONS: CropOptions = { margin: 0.1, minSide: 8, perClass: 0, unlabelledShare: 0, seed: 0 };

test('a crop is a square around its box, cut off at the border, of whole pixels', () => {
  const size = { width: 100, height: 60 };
  assert.deepEqual(cropBox({ classIndex: 0, cx: 0.5, cy: 0.5, w: 0.2, h: 0.15 }, size, OPTIONS), {
    ...{ left: 38, top: 18, right: 62, bottom: 42 },
  });
  assert.equal(
    cropBox({ classIndex: 0, cx: 0.5, cy: 0.5, w: 0.2, h: 0.15 }, size, { ...OPTIONS, minSide: 10 }),
    undefined,
  );
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(share, share, share, share, (cx, cy, w, h) => {
      const box = cropBox({ classIndex: 0, cx, cy, w, h }, size, OPTIONS);
      if (box === undefined) return;
      assert.ok(box.left >= 0 && box.top >= 0 && box.right <= 100 && box.bottom <= 60);
      assert.ok(box.right - box.left >= 10 && box.bottom - box.top >= 10);
    }),
    { numRuns: 200, seed: 1 },
  );
});

describe('crop', () => {
  let folder = '';
  let data = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-crop-'));
    ({ data } = await makeTinyData(folder, { train: 12, unlabelled: 1, val: 4 }));
  });
  after(() => rm(folder, { recursive: true, force: true }));
  const cut = (out: string, more: object = {}) =>
    command.run(command.options.parse({ data, out: join(folder, out), ...more }), silentContext());

  test('every crop comes from its class and split, and the cap and the share hold', async () => {
    const dataset = await readDataset({ data, split: 'train', badImages: 'error' });
    const all = planCrops(dataset, 'train', OPTIONS);
    assert.equal(all.length, 12);
    const few = planCrops(dataset, 'train', { ...OPTIONS, perClass: 4, unlabelledShare: 0.5 });
    assert.equal(few.length, 8);
    assert.equal(few.filter(({ path }) => path.startsWith('unlabelled/')).length, 4);
    // Hiding a class moves a crop and changes no other.
    const names = (crops: readonly { path: string }[]): string[] =>
      crops.map(({ path }) => path.split('/').at(-1) ?? '').sort();
    assert.deepEqual(names(few), names(planCrops(dataset, 'train', { ...OPTIONS, perClass: 4 })));
    assert.deepEqual(few, planCrops(dataset, 'train', { ...OPTIONS, perClass: 4, unlabelledShare: 0.5 }));
    for (const { sample, classIndex, path } of all) {
      assert.equal(dataset.samples[sample]?.labels?.[0]?.classIndex, classIndex);
      assert.ok(path.startsWith(`train/${dataset.names[classIndex] ?? ''}/`));
    }
  });

  test('the crops are a data set for classifiers, found again, the same bytes anywhere', async () => {
    const first = await cut('a', { unlabelledShare: 0.5 });
    assert.equal(first.found, false);
    assert.equal((await cut('a', { unlabelledShare: 0.5 })).found, true);
    await cut('b', { unlabelledShare: 0.5 });
    for (const path of Object.keys(first.counts))
      for (const name of await readdir(join(folder, 'a', path)))
        assert.deepEqual(
          await readFile(join(folder, 'a', path, name)),
          await readFile(join(folder, 'b', path, name)),
        );
    const { names, samples } = await readDataset({ data: join(folder, 'a'), badImages: 'error' });
    assert.deepEqual(names, ['red', 'green']);
    assert.equal(samples.length, 12);
    const hidden = samples.filter(({ labels }) => labels === undefined).length;
    assert.equal(hidden, first.counts['unlabelled']);
    assert.ok(hidden >= 5 && hidden <= 7, `${hidden}`);
    // Red squares are red in the middle of their crops.
    for (const { file, labels } of samples) {
      if (labels === undefined) continue;
      const { width, height, pixels } = await decodeImage(file);
      const middle = ((height >> 1) * width + (width >> 1)) * 3;
      assert.equal(pixels[middle + (labels[0]?.classIndex ?? 2)], 250);
    }
    assert.equal((await cut('a')).counts['unlabelled'], undefined);
    assert.ok(!(await readdir(join(folder, 'a'))).includes('unlabelled'));
  });

  test('a folder that holds something else is left alone', async () => {
    await writeFile(join(folder, 'notes.txt'), 'mine');
    await assert.rejects(cut('.'), (error) => isSoftshardError(error, 'E_OPTION_CONFLICT'));
    assert.equal(await readFile(join(folder, 'notes.txt'), 'utf8'), 'mine');
  });
});

import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hideLabels } from '../../src/data/hide-labels.ts';
import { readDataset } from '../../src/data/read-dataset.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { makeTinyData, type TinyData } from '../tiny-training.ts';

describe('hideLabels', () => {
  let folder: string;
  let tiny: TinyData;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-hide-'));
    tiny = await makeTinyData(join(folder, 'data'), { train: 7, unlabelled: 0, val: 1 });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('as many keep their labels as asked for, spread over the set; the others are unlabelled', async () => {
    const data = await hideLabels(tiny.data, 2, join(folder, 'few'));
    const { samples } = await readDataset({ data, split: 'train', badImages: 'error' });
    assert.equal(samples.length, 7);
    const labelled = samples.filter((sample) => sample.labels !== undefined);
    assert.deepEqual(
      labelled.map(({ path }) => path.replace(/^.*\//, '')),
      ['000.png', '003.png'],
    );
    assert.ok(labelled.every(({ labels }) => labels?.length === 1));
    assert.equal((await readDataset({ data, split: 'val', badImages: 'error' })).samples.length, 1);
  });

  test('more than there are is refused', async () => {
    await assert.rejects(hideLabels(tiny.data, 8, join(folder, 'many')), (error) =>
      isSoftshardError(error, 'E_USAGE'),
    );
  });
});

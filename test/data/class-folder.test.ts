import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { datasetSplits, readDataset } from '../../src/data/read-dataset.ts';
import { isSoftshardError } from '../../src/errors.ts';

let folder = '';
const picture = async (path: string): Promise<void> => {
  const file = join(folder, path);
  await mkdir(join(file, '..'), { recursive: true });
  await sharp({ create: { width: 16, height: 12, channels: 3, background: 'red' } })
    .png()
    .toFile(file);
};

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'softshard-classes-'));
  for (const path of ['train/cat/1.png', 'train/dog/1.png', 'train/dog/deep/2.png', 'val/dog/3.png'])
    await picture(path);
  await picture('unlabelled/4.png');
});
after(() => rm(folder, { recursive: true, force: true }));

test('a folder a class: one label over the whole image; unlabelled images have none', async () => {
  assert.deepEqual(await datasetSplits(folder), ['train', 'val']);
  const { names, samples } = await readDataset({ data: folder, badImages: 'error' });
  assert.deepEqual(names, ['cat', 'dog']);
  assert.deepEqual(
    samples.map(({ path, labels }) => [path, labels?.map(({ classIndex }) => classIndex)]),
    [
      ['train/cat/1.png', [0]],
      ['train/dog/1.png', [1]],
      ['train/dog/deep/2.png', [1]],
      ['unlabelled/4.png', undefined],
    ],
  );
  assert.deepEqual(samples[0]?.labels, [{ classIndex: 0, cx: 0.5, cy: 0.5, w: 1, h: 1 }]);
  const held = await readDataset({ data: folder, split: 'val', badImages: 'error' });
  assert.deepEqual(
    held.samples.map(({ labels }) => labels?.[0]?.classIndex),
    [1],
  );
});

test('classes.txt orders the classes; a folder that it lacks is an error that names it', async () => {
  await writeFile(join(folder, 'classes.txt'), 'dog\ncat\n');
  const { names } = await readDataset({ data: folder, badImages: 'error' });
  assert.deepEqual(names, ['dog', 'cat']);
  await writeFile(join(folder, 'classes.txt'), 'dog\n');
  await assert.rejects(
    readDataset({ data: folder, badImages: 'drop' }),
    (error) => isSoftshardError(error, 'E_LABEL') && error.message.includes('cat'),
  );
});

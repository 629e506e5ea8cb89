/** Images are read again when, and only when, they changed. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, utimesSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { openImageChecks, type CheckedImage, type ImageCheckStore } from '../../src/data/image-checks.ts';
import { readDataset } from '../../src/data/read-dataset.ts';
import { noiseImage } from './pixel-noise.ts';
import { temporaryFolder } from './temporary-folder.ts';

const raw = { raw: { width: 20, height: 20, channels: 3 } } as const;
const picture = (seed: number): Promise<Buffer> =>
  sharp(noiseImage(20, 20, seed).pixels, raw)
    .png({ compressionLevel: 0 })
    .toBuffer();
/** A clock by which files just written have settled. */
const later = (): number => Date.now() + 10_000;

test('a data set is the same with and without what is known of its images, whatever changes', async (t) => {
  const folder = temporaryFolder(t);
  const image = folder.write('set/images/train/a.png', await picture(1));
  folder.write('set/images/train/b.png', await picture(2));
  const label = folder.write('set/labels/train/a.txt', '0 0.5 0.5 0.2 0.2\n');
  const data = join(folder.path, 'set');
  const checks: ImageCheckStore = { folder: join(folder.path, 'home'), now: later, leastBytes: 0 };
  const read = async (): Promise<string> => {
    const kept = await readDataset({ data, badImages: 'error', checks });
    assert.deepEqual(kept, await readDataset({ data, badImages: 'error' }));
    return `${kept.digest} ${kept.labelsDigest}`;
  };
  const first = await read();
  assert.equal(await read(), first);
  assert.equal(readdirSync(checks.folder).length, 1);

  // Other pixels in a file of the same size and the same modification time.
  const { size, mtime, atime } = statSync(image);
  const other = await picture(3);
  assert.equal(other.length, size);
  writeFileSync(image, other);
  utimesSync(image, atime, mtime);
  const second = await read();
  assert.notEqual(second, first);

  const before = statSync(label);
  writeFileSync(label, '0 0.5 0.5 0.3 0.2\n');
  utimesSync(label, before.atime, before.mtime);
  assert.notEqual(await read(), second);

  // A store that was damaged is as none.
  const [name = ''] = readdirSync(checks.folder);
  writeFileSync(join(checks.folder, name), '{"version": 1, "images": {"a": 3}}');
  await read();
});

test('known images are not opened; those that changed a moment ago, and small sets, are not kept', async (t) => {
  const folder = temporaryFolder(t);
  const file = folder.write('a.png', await picture(1));
  const checked: CheckedImage = { digest: 'a'.repeat(64), width: 20, height: 20 };
  let opened = 0;
  const look = async (store: ImageCheckStore): Promise<void> => {
    const checks = await openImageChecks(store, '/data.yaml');
    const found = await checks.check(file, () => {
      opened += 1;
      return Promise.resolve(checked);
    });
    assert.deepEqual(found, checked);
    await checks.save();
  };
  const store = (name: string, more: Partial<ImageCheckStore> = {}): ImageCheckStore => ({
    ...{ folder: join(folder.path, name), now: later, leastBytes: 0, ...more },
  });
  for (const each of [store('fresh', { now: Date.now }), store('small', { leastBytes: 2 ** 20 })]) {
    opened = 0;
    await look(each);
    await look(each);
    assert.equal(opened, 2);
  }
  opened = 0;
  for (let i = 0; i < 3; i++) await look(store('kept'));
  assert.equal(opened, 1);
  // A home that cannot be written costs no more than time.
  await look({ folder: join(file, 'no-folder'), now: later, leastBytes: 0 });
});

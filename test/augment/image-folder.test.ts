/** Decoded images on disk: the same pixels, found again, bounded, and never trusted when damaged. */
import { after, before, beforeEach, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keptImages } from '../../src/augment/image-cache-options.ts';
import { heldBytes, readHeldImage } from '../../src/augment/image-folder.ts';
import { createViewDecoder } from '../../src/augment/view-decoder.ts';
import type { Sample } from '../../src/data/sample.ts';
import { bankView } from './view-bank.ts';
import { pictureSet, type PictureSet } from './picture-set.ts';

const records = Array.from({ length: 12 }, (_, i) => bankView(i));

describe('images on disk', () => {
  let pictures: PictureSet;
  let home: string;
  let samples: readonly Sample[];
  before(async () => {
    pictures = await pictureSet();
    samples = pictures.samples.map((sample, i) => ({ ...sample, digest: String(i).padStart(64, 'a') }));
  });
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'softshard-images-'));
  });
  after(() => pictures.remove());

  const digests = async (imageCacheBytes?: number, workers = 0): Promise<string[]> => {
    const kept = await keptImages(
      { imageCache: 'disk', ...(imageCacheBytes === undefined ? {} : { imageCacheBytes }) },
      0,
      home,
    );
    const views = createViewDecoder({
      ...{ dataset: { samples }, workers, slots: 4, viewBytes: 64 * 64 * 3, ...kept },
    });
    try {
      const found: string[] = [];
      for (const record of records) {
        const view = await views.decode(record);
        found.push(view.pixelDigest);
        view.release();
      }
      return found;
    } finally {
      await views.close();
    }
  };
  const filesOf = async (): Promise<string[]> => {
    const names = await readdir(join(home, 'images'), { recursive: true });
    return names.filter((name) => name.endsWith('.rgb')).map((name) => join(home, 'images', name));
  };

  test('the pixels are those of decoding; a second time the images themselves are not needed', async () => {
    const plain = await digests(0);
    assert.deepEqual(await filesOf().catch(() => []), []);
    assert.deepEqual(await digests(), plain);
    const files = await filesOf();
    assert.ok(files.length > 0);
    const moved = samples;
    samples = samples.map((sample) => ({ ...sample, file: join(home, 'gone.png') }));
    try {
      assert.deepEqual(await digests(undefined, 1), plain);
    } finally {
      samples = moved;
    }
    // One that was damaged is decoded again.
    const [first = ''] = files;
    const content = await readFile(first);
    content[0] = (content[0] ?? 0) ^ 1;
    await writeFile(first, content);
    assert.deepEqual(await digests(), plain);
    await rm(home, { recursive: true });
  });

  for (const workers of [0, 2])
    test(`no more is written than asked for, what is there counted, ${workers} workers`, async () => {
      const limit = 20_000;
      await digests(limit, workers);
      const [build = ''] = await readdir(join(home, 'images'));
      const folder = join(home, 'images', build);
      const held = await heldBytes(folder);
      assert.ok(held > 0 && held <= limit, String(held));
      await digests(limit, workers);
      assert.equal(await heldBytes(folder), held);
      assert.equal(await readHeldImage(folder, 'b'.repeat(64), { width: 4, height: 4 }), undefined);
      await rm(home, { recursive: true });
    });
});

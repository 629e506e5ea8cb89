import assert from 'node:assert/strict';
import { copyFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { drawView } from '../../src/augment/draw-view.ts';
import { LETTERBOX_ONLY } from '../../src/augment/augmentation.ts';
import { createViewDecoder, type SlottedView, type ViewDecoder } from '../../src/augment/view-decoder.ts';
import type { ViewRecord } from '../../src/data/view.ts';
import { isSoftshardError, SoftshardError } from '../../src/errors.ts';
import { bankView, SIZES } from './view-bank.ts';
import { pictureSet, type PictureSet } from './picture-set.ts';

const VIEW_BYTES = 64 * 64 * 3;
const records = Array.from({ length: 24 }, (_, i) => bankView(i));

let pictures: PictureSet;
before(async () => {
  pictures = await pictureSet();
});
after(() => pictures.remove());

const decoder = (workers: number, slots = 4): ViewDecoder =>
  createViewDecoder({ dataset: pictures, workers, slots, viewBytes: VIEW_BYTES });

/** Decodes records at once, keeps what each view was, frees its slot. */
async function decodeAll(
  workers: number,
  imageCacheBytes?: number,
  wanted: readonly ViewRecord[] = records,
): Promise<unknown[]> {
  const views = createViewDecoder({
    ...{ dataset: pictures, workers, slots: 4, viewBytes: VIEW_BYTES },
    ...(imageCacheBytes === undefined ? {} : { imageCacheBytes }),
  });
  try {
    return await Promise.all(
      wanted.map(async (record) => {
        const view = await views.decode(record);
        const kept = {
          pixels: Buffer.from(view.pixels).toString('base64'),
          digest: view.pixelDigest,
          labels: view.labels,
        };
        view.release();
        return kept;
      }),
    );
  } finally {
    await views.close();
  }
}

const failed = async (work: Promise<unknown>): Promise<SoftshardError> => {
  try {
    await work;
  } catch (error) {
    if (error instanceof SoftshardError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

const settled = (promise: Promise<unknown>): Promise<boolean> =>
  Promise.race([
    promise.then(
      () => true,
      () => true,
    ),
    new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 100)),
  ]);

test('any number of workers gives the same bytes', async () => {
  const here = await decodeAll(0);
  for (const workers of [1, 2, 4]) assert.deepEqual(await decodeAll(workers), here, `${workers} workers`);
});

test('kept images change no byte: none of them, some, all, here and on threads, cold and warm', async () => {
  const twice = [...records, ...records];
  const plain = await decodeAll(0, 0, twice);
  for (const bytes of [5_000, 20_000, 2 ** 24]) {
    for (const workers of [0, 2]) {
      assert.deepEqual(await decodeAll(workers, bytes, twice), plain, `${bytes} bytes, ${workers} workers`);
    }
  }
});

test('an image that is kept is not read again', async () => {
  const file = join(pictures.folder, 'once.png');
  const [sample] = pictures.samples;
  assert.ok(sample !== undefined);
  await copyFile(sample.file, file);
  const samples = [{ ...sample, file }];
  const record = drawView({ sample: 0, view: 0 }, SIZES, 64, LETTERBOX_ONLY, 0);
  for (const imageCacheBytes of [0, 2 ** 20]) {
    await copyFile(sample.file, file);
    const views = createViewDecoder({
      ...{ dataset: { samples }, workers: 1, slots: 1, viewBytes: VIEW_BYTES, imageCacheBytes },
    });
    const first = await views.decode(record);
    first.release();
    await rm(file);
    if (imageCacheBytes === 0) assert.equal((await failed(views.decode(record))).code, 'E_IMAGE');
    else assert.equal((await views.decode(record)).pixelDigest, first.pixelDigest);
    await views.close();
  }
});

for (const workers of [0, 1]) {
  describe(`a decoder with ${workers} workers`, () => {
    test('keeps no more views alive than it has slots', async () => {
      const views = decoder(workers, 2);
      const first = await Promise.all([records[0], records[1]].map((r) => views.decode(r ?? bankView(0))));
      const third = views.decode(bankView(2));
      assert.equal(await settled(third), false);
      const digest = first[1]?.pixelDigest;
      first[0]?.release();
      first[0]?.release();
      const view = await third;
      assert.notEqual(view.pixels.buffer, first[1]?.pixels.buffer);
      assert.equal(first[1]?.pixelDigest, digest);
      const fourth = views.decode(bankView(3));
      assert.equal(await settled(fourth), false, 'a second release of the same view frees nothing');
      view.release();
      (await fourth).release();
      await views.close();
    });

    test('names the file that fails, and goes on', async () => {
      const file = join(pictures.folder, 'bad.jpg');
      await writeFile(file, 'not a picture');
      const missing = { ...pictures.samples[0], file: join(pictures.folder, 'gone.jpg') };
      const samples = pictures.samples.map((s, i) =>
        i === 1 ? { ...s, file } : i === 2 ? { ...s, file: missing.file } : i === 3 ? { ...s, width: 99 } : s,
      );
      const views = createViewDecoder({ dataset: { samples }, workers, slots: 1, viewBytes: VIEW_BYTES });
      const plain = (sample: number): ReturnType<typeof drawView> =>
        drawView({ sample, view: 0 }, SIZES, 64, LETTERBOX_ONLY, 0);
      const bad = await failed(views.decode(plain(1)));
      assert.equal(bad.code, 'E_IMAGE');
      assert.match(bad.message, /bad\.jpg/);
      assert.match((await failed(views.decode(plain(2)))).message, /gone\.jpg/);
      const resized = await failed(views.decode(plain(3)));
      assert.equal(resized.code, 'E_IMAGE');
      assert.match(resized.detail.expected ?? '', /99/);
      (await views.decode(plain(0))).release();
      await views.close();
    });

    test('stops waiting when the signal fires, and gives the slot back', async () => {
      const views = decoder(workers, 1);
      const stop = new AbortController();
      const running = views.decode(bankView(0), stop.signal);
      const waiting = views.decode(bankView(1), stop.signal);
      stop.abort();
      assert.ok(isSoftshardError(await failed(running), 'E_ABORTED'));
      assert.ok(isSoftshardError(await failed(waiting), 'E_ABORTED'));
      assert.ok(isSoftshardError(await failed(views.decode(bankView(0), stop.signal)), 'E_ABORTED'));
      const view: SlottedView = await views.decode(bankView(2));
      view.release();
      await views.close();
    });

    test('closing rejects what waits and what comes after', async () => {
      const views = decoder(workers, 1);
      const held = await views.decode(bankView(0));
      const digest = held.pixels.join();
      const waiting = views.decode(bankView(1));
      const outcome = failed(waiting);
      await views.close();
      assert.equal((await outcome).code, 'E_ABORTED');
      assert.equal((await failed(views.decode(bankView(2)))).code, 'E_ABORTED');
      assert.equal(held.pixels.join(), digest, 'a view in hand stays readable');
      await views.close();
    });

    test('refuses a view that does not fit, and a sample that is not there', async () => {
      const views = decoder(workers);
      const large = drawView({ sample: 0, view: 0 }, SIZES, 128, LETTERBOX_ONLY, 0);
      assert.equal((await failed(views.decode(large))).code, 'E_INTERNAL');
      const foreign = drawView({ sample: 9, view: 0 }, [...SIZES, ...SIZES], 64, LETTERBOX_ONLY, 0);
      assert.equal((await failed(views.decode(foreign))).code, 'E_INTERNAL');
      await views.close();
    });
  });
}

test('bad counts are refused', () => {
  for (const bad of [{ workers: -1 }, { slots: 0 }, { viewBytes: 1.5 }]) {
    assert.throws(
      () => createViewDecoder({ dataset: pictures, workers: 0, slots: 1, viewBytes: 1, ...bad }),
      (e) => isSoftshardError(e, 'E_USAGE'),
    );
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createImageCache } from '../../src/augment/image-cache.ts';
import type { RgbImage } from '../../src/data/rgb-image.ts';

const image = (bytes: number): RgbImage => ({ width: bytes / 3, height: 1, pixels: new Uint8Array(bytes) });

test('keeps what was used last, within its bytes', async () => {
  const cache = createImageCache(90);
  const loads: string[] = [];
  const get = (file: string, bytes = 30): Promise<RgbImage> =>
    cache.get(file, () => {
      loads.push(file);
      return Promise.resolve(image(bytes));
    });
  for (const file of ['a', 'b', 'c', 'a', 'd', 'a', 'c', 'b']) {
    await get(file);
    assert.ok(cache.bytes() <= 90);
  }
  assert.deepEqual(loads, ['a', 'b', 'c', 'd', 'b']);
  await get('huge', 120);
  await get('huge', 120);
  assert.equal(cache.bytes(), 90);
  assert.deepEqual(loads.slice(5), ['huge', 'huge'], 'too large to keep, and drives nothing out');
});

test('a failing load is tried again', async () => {
  const cache = createImageCache(90);
  await assert.rejects(
    cache.get('a', () => Promise.reject(new Error('once'))),
    /once/,
  );
  assert.equal((await cache.get('a', () => Promise.resolve(image(3)))).width, 1);
});

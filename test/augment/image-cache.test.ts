import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createImageCache, sharedPixels, type LoadedImage } from '../../src/augment/image-cache.ts';

const image = (sample: number, width = 10): LoadedImage => ({
  sample,
  width,
  height: 1,
  pixels: new SharedArrayBuffer(width * 3),
});

describe('decoded images in memory', () => {
  test('what fits is held and stays', () => {
    const cache = createImageCache(90);
    for (const sample of [0, 1, 2, 3, 0]) cache.put(image(sample));
    assert.equal(cache.room(), 0);
    for (const sample of [0, 1, 2]) assert.equal(cache.get(sample, image(sample))?.sample, sample);
    assert.equal(cache.get(3, image(3)), undefined);
  });

  test('sizes of one sample are told apart, a second put changes nothing', () => {
    const cache = createImageCache(90);
    const first = image(4);
    cache.put(first);
    cache.put(image(4));
    cache.put(image(4, 7));
    assert.equal(cache.get(4, first), first);
    assert.equal(cache.get(4, { width: 7, height: 1 })?.width, 7);
    assert.equal(cache.get(4, { width: 1, height: 10 }), undefined);
    assert.equal(cache.room(), 90 - 30 - 21);
    assert.equal(sharedPixels(first).pixels.buffer, first.pixels);
  });

  test('no bytes hold nothing', () => {
    const cache = createImageCache(0);
    cache.put(image(0));
    assert.equal(cache.get(0, image(0)), undefined);
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { imageCacheLimit, imageCacheOptions } from '../../src/augment/image-cache-options.ts';

const GiB = 2 ** 30;
const parse = (options: object): Parameters<typeof imageCacheLimit>[0] =>
  z.strictObject(imageCacheOptions).parse(options);

test('images in memory are bounded by what is free, by what is asked for, or off', () => {
  assert.equal(imageCacheLimit(parse({ imageCache: 'ram' }), 8 * GiB), 2 * GiB);
  assert.equal(imageCacheLimit(parse({ imageCache: 'ram' }), 64 * GiB), 4 * GiB);
  assert.equal(imageCacheLimit(parse({ imageCache: 'ram' }), 0), 0);
  assert.equal(imageCacheLimit(parse({}), 8 * GiB), 0);
  assert.equal(imageCacheLimit(parse({ imageCacheBytes: 5 }), 0), 5);
  assert.equal(imageCacheLimit(parse({ imageCache: 'none' }), 8 * GiB), 0);
  assert.equal(imageCacheLimit(parse({ imageCache: 'disk', imageCacheBytes: 5 }), 8 * GiB), 0);
});

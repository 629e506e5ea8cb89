/** Both resizes against sha256 digests of what OpenCV 4.6.0 makes of the same noise, and their invariants. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { resizeArea } from '../../src/data/resize-area.ts';
import { resizeBilinear } from '../../src/data/resize-bilinear.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { repositoryRoot } from '../reference.ts';
import { flatImage, noiseImage } from './pixel-noise.ts';

const pair = z.tuple([z.int(), z.int()]);
const vectors = z
  .object({
    cases: z.array(
      z.object({
        kind: z.enum(['bilinear', 'area']),
        source: pair,
        target: pair,
        seed: z.int(),
        sha256: z.string(),
        first: z.array(z.int()),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(join(repositoryRoot, 'fixtures', 'parity', 'resize.json'), 'utf8')));

const resize = { bilinear: resizeBilinear, area: resizeArea };

describe('resizes equal OpenCV 4.6 bit for bit', () => {
  assert.ok(vectors.cases.length > 30);
  for (const { kind, source, target, seed, sha256, first } of vectors.cases) {
    test(`${kind} ${source.join('x')} to ${target.join('x')}`, () => {
      const image = noiseImage(source[0], source[1], seed);
      const { pixels } = resize[kind](image, { width: target[0], height: target[1] });
      assert.deepEqual([...pixels.subarray(0, 6)], first);
      assert.equal(createHash('sha256').update(pixels).digest('hex'), sha256);
    });
  }
});

describe('resize invariants', () => {
  const side = fc.integer({ min: 1, max: 40 });
  const byte = fc.integer({ min: 0, max: 255 });

  test('a flat picture keeps its colour within the rounding of the weights', () => {
    fc.assert(
      fc.property(side, side, side, side, fc.tuple(byte, byte, byte), (w, h, W, H, rgb) => {
        const image = flatImage(w, h, rgb);
        const close = (pixels: Uint8Array): boolean =>
          pixels.every((value, i) => Math.abs(value - (rgb[i % 3] ?? 0)) <= 1);
        assert.ok(close(resizeBilinear(image, { width: W, height: H }).pixels));
        const smaller = { width: Math.min(w, W), height: Math.min(h, H) };
        assert.deepEqual(
          resizeArea(image, smaller).pixels,
          flatImage(smaller.width, smaller.height, rgb).pixels,
        );
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  test('an equal size copies, and a given buffer receives the result', () => {
    const image = noiseImage(13, 9, 4);
    for (const one of [resizeBilinear, resizeArea]) {
      const same = one(image, image);
      assert.deepEqual(same.pixels, image.pixels);
      assert.notEqual(same.pixels, image.pixels);
      const into = new Uint8Array(6 * 4 * 3).fill(7);
      const result = one(image, { width: 6, height: 4 }, into);
      assert.equal(result.pixels, into);
      assert.deepEqual(into, one(image, { width: 6, height: 4 }).pixels);
    }
  });

  test('halving both sides is the same by area and by bilinear weights', () => {
    const image = noiseImage(64, 48, 2);
    const half = { width: 32, height: 24 };
    assert.deepEqual(resizeArea(image, half).pixels, resizeBilinear(image, half).pixels);
  });

  test('wrong buffers and growing by area are refused', () => {
    const image = noiseImage(4, 4, 1);
    const internal = (error: unknown): boolean => isSoftshardError(error, 'E_INTERNAL');
    assert.throws(() => resizeBilinear(image, { width: 2, height: 2 }, new Uint8Array(11)), internal);
    assert.throws(() => resizeBilinear({ ...image, width: 5 }, { width: 2, height: 2 }), internal);
    assert.throws(() => resizeArea(image, { width: 5, height: 2 }), internal);
  });
});

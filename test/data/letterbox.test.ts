/** Letterbox geometry and pixels against reference vectors; invariants over a grid of sizes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { decodeImage } from '../../src/data/decode-image.ts';
import { letterboxGeometry, letterboxPixels, PAD_VALUE } from '../../src/data/letterbox.ts';
import { loadSize, resizeForLoad } from '../../src/data/load-size.ts';
import { roundHalfEven } from '../../src/data/round-half-even.ts';
import { reference, referenceNpy, repositoryRoot, skipWithoutReference } from '../reference.ts';
import { noiseImage } from './pixel-noise.ts';

const pair = z.tuple([z.number(), z.number()]);
const vectors = z
  .array(
    z.object({
      hw: pair,
      new_shape: z.union([z.number().transform((n): [number, number] => [n, n]), pair]),
      auto: z.boolean(),
      scaleup: z.boolean(),
      out: pair,
      ratio: z.number(),
      dw_dh: pair,
      top_left_bottom_right_pad: z.tuple([z.number(), z.number(), z.number(), z.number()]),
      unpad_wh: pair,
    }),
  )
  .parse(JSON.parse(readFileSync(join(repositoryRoot, 'fixtures', 'parity', 'letterbox.json'), 'utf8')));

describe('letterboxGeometry', () => {
  assert.ok(vectors.length >= 9);
  for (const v of vectors) {
    test(`${v.hw.join('x')} into ${v.new_shape.join('x')} auto ${v.auto} scaleUp ${v.scaleup}`, () => {
      const g = letterboxGeometry(
        { height: v.hw[0], width: v.hw[1] },
        { height: v.new_shape[0], width: v.new_shape[1] },
        { auto: v.auto, scaleUp: v.scaleup },
      );
      assert.deepEqual([g.outHeight, g.outWidth], v.out);
      assert.deepEqual([g.padX, g.padY], v.dw_dh);
      assert.deepEqual([g.top, g.left, g.bottom, g.right], v.top_left_bottom_right_pad);
      assert.deepEqual([g.resizedWidth, g.resizedHeight], v.unpad_wh);
      assert.ok(Math.abs(g.ratio - v.ratio) < 1e-7);
    });
  }

  test('invariants', () => {
    const side = fc.integer({ min: 1, max: 3000 });
    const target = fc.integer({ min: 1, max: 40 }).map((n) => n * 32);
    fc.assert(
      fc.property(side, side, target, target, fc.boolean(), fc.boolean(), (w, h, W, H, auto, scaleUp) => {
        const g = letterboxGeometry({ width: w, height: h }, { width: W, height: H }, { auto, scaleUp });
        assert.ok(g.resizedWidth >= 1 && g.resizedWidth <= W && g.resizedHeight >= 1 && g.resizedHeight <= H);
        assert.equal(g.left + g.right, 2 * g.padX);
        assert.equal(g.top + g.bottom, 2 * g.padY);
        assert.ok(g.left >= 0 && g.right - g.left >= 0 && g.right - g.left <= 1);
        assert.ok(g.top >= 0 && g.bottom - g.top >= 0 && g.bottom - g.top <= 1);
        if (!scaleUp) assert.ok(g.ratio <= 1);
        if (auto) {
          assert.ok(g.outWidth % 32 === 0 && g.outHeight % 32 === 0 && g.outWidth <= W && g.outHeight <= H);
          assert.ok(g.padX < 16 && g.padY < 16);
        } else {
          assert.deepEqual([g.outWidth, g.outHeight], [W, H]);
        }
        if (scaleUp || w > W || h > H) {
          assert.ok(g.resizedWidth === W || g.resizedHeight === H);
        } else {
          assert.deepEqual([g.resizedWidth, g.resizedHeight], [w, h]);
        }
      }),
      { seed: 1, numRuns: 1000 },
    );
  });
});

describe('letterboxPixels', () => {
  const photograph = (id: string): ReturnType<typeof decodeImage> =>
    decodeImage(reference('data', 'coco128', 'images', 'train2017', `${id}.jpg`));

  test('the reference inputs at 320 and 640 come out exactly', { skip: skipWithoutReference }, async () => {
    const ids = ['000000000009', '000000000357', '000000000241', '000000000309'];
    const cases: readonly [string, readonly string[], number][] = [
      ['B_input_320_u8.npy', ids, 320],
      ['B_input_640_u8.npy', ['000000000049'], 640],
      ['E_input_160_u8.npy', ids, 160],
    ];
    for (const [file, images, size] of cases) {
      const expected = referenceNpy(file).data;
      for (const [i, id] of images.entries()) {
        const image = await photograph(id);
        const shape = { width: size, height: size };
        const geometry = letterboxGeometry(image, shape, { auto: false, scaleUp: true });
        const { pixels } = letterboxPixels(image, geometry);
        const part = expected.subarray(i * pixels.length, (i + 1) * pixels.length);
        assert.ok(part instanceof Uint8Array && Buffer.compare(pixels, part) === 0, `${file} ${id}`);
      }
    }
  });

  test(
    'the validation path (area shrink, no enlarging) comes out exactly',
    { skip: skipWithoutReference },
    async () => {
      const image = resizeForLoad(await photograph('000000000309'), { imageSize: 320, augment: false });
      const shape = { width: 320, height: 320 };
      const { pixels } = letterboxPixels(
        image,
        letterboxGeometry(image, shape, { auto: false, scaleUp: false }),
      );
      assert.deepEqual(pixels, referenceNpy('B_input_320_valpath_img3_u8.npy').data);
    },
  );

  test('pads with grey and overwrites all of a given buffer', () => {
    const image = noiseImage(10, 4, 1);
    const geometry = letterboxGeometry(image, { width: 13, height: 9 }, { auto: false, scaleUp: false });
    const into = new Uint8Array(13 * 9 * 3).fill(9);
    const result = letterboxPixels(image, geometry, into);
    assert.equal(result.pixels, into);
    for (let y = 0; y < 9; y++) {
      for (let x = 0; x < 13; x++) {
        const [sx, sy] = [x - geometry.left, y - geometry.top];
        const inside = sx >= 0 && sx < 10 && sy >= 0 && sy < 4;
        const expected = inside ? image.pixels[(sy * 10 + sx) * 3 + 1] : PAD_VALUE;
        assert.equal(into[(y * 13 + x) * 3 + 1], expected);
      }
    }
  });
});

describe('loadSize', () => {
  test('cuts to whole pixels and chooses the interpolation', () => {
    const at = (width: number, height: number, imageSize: number, augment: boolean): unknown => {
      const size = loadSize({ width, height }, { imageSize, augment });
      return [size.width, size.height, size.interpolation];
    };
    assert.deepEqual(at(640, 480, 640, false), [640, 480, 'none']);
    assert.deepEqual(at(500, 333, 640, false), [640, 426, 'bilinear']);
    assert.deepEqual(at(500, 333, 320, false), [320, 213, 'area']);
    assert.deepEqual(at(500, 333, 320, true), [320, 213, 'bilinear']);
    assert.deepEqual(at(381, 500, 640, true), [487, 640, 'bilinear']);
    assert.deepEqual(at(5000, 1, 320, false), [320, 1, 'area']);
  });

  test('leaves an image of the right size uncopied', () => {
    const image = noiseImage(32, 20, 1);
    assert.equal(resizeForLoad(image, { imageSize: 32, augment: false }), image);
    assert.equal(resizeForLoad(image, { imageSize: 16, augment: false }).width, 16);
  });
});

test('roundHalfEven rounds ties to the even neighbour', () => {
  const pairs = [
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [-0.5, -0],
    [-1.5, -2],
    [2.4999, 2],
    [2.5001, 3],
    [-0.1, 0],
    [7, 7],
  ];
  for (const [x, expected] of pairs) assert.equal(roundHalfEven(x ?? NaN) + 0, (expected ?? NaN) + 0);
});

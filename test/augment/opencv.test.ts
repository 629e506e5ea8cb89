/**
 * Against digests of what OpenCV 4.6.0 made of the same formula pixels (fixtures/parity/opencv.json): warpAffine,
 * warpPerspective, RGB -> HSV -> gains -> RGB, resize. Bit for bit.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { applyHsvGain, hsvToRgb, rgbToHsv } from '../../src/augment/hsv-gain.ts';
import { pixelDigest } from '../../src/augment/pixel-digest.ts';
import { warpAffine } from '../../src/augment/warp-affine.ts';
import { warpPerspective } from '../../src/augment/warp-perspective.ts';
import { resizeBilinear } from '../../src/data/resize-bilinear.ts';
import { repositoryRoot } from '../reference.ts';
import { formulaPixels } from './formula-pixels.ts';

const n = z.number();
const pair = z.tuple([n, n]);
const warp = z.object({
  size: pair,
  out: pair,
  matrix: z.tuple([n, n, n, n, n, n, n, n, n]),
  digest: z.string(),
});
const schema = z.object({
  affine: z.array(warp),
  perspective: z.array(warp),
  hsv: z.array(
    z.object({ size: pair, gains: z.tuple([n, n, n]), hsvDigest: z.string(), digest: z.string() }),
  ),
  resize: z.array(z.object({ size: pair, out: pair, digest: z.string() })),
  hsvCubeDigest: z.string(),
});
const vectors = schema.parse(
  JSON.parse(readFileSync(join(repositoryRoot, 'fixtures', 'parity', 'opencv.json'), 'utf8')),
);

for (const [name, run, cases] of [
  ['warpAffine', warpAffine, vectors.affine],
  ['warpPerspective', warpPerspective, vectors.perspective],
] as const) {
  describe(name, () => {
    for (const [i, { size, out, matrix, digest }] of cases.entries()) {
      test(`${i}: ${size.join(' x ')} to ${out.join(' x ')}`, () => {
        const result = run(formulaPixels(...size), matrix, { width: out[0], height: out[1] });
        assert.equal(pixelDigest(result.pixels), digest);
      });
    }
  });
}

describe('HSV', () => {
  for (const { size, gains, hsvDigest, digest } of vectors.hsv) {
    test(`${size.join(' x ')}, gains ${gains.join(', ')}`, () => {
      const { pixels } = formulaPixels(...size);
      const hsv = new Uint8Array(pixels.length);
      for (let o = 0; o < pixels.length; o += 3) {
        hsv.set(rgbToHsv(pixels[o] ?? 0, pixels[o + 1] ?? 0, pixels[o + 2] ?? 0), o);
      }
      assert.equal(pixelDigest(hsv), hsvDigest);
      applyHsvGain(pixels, gains);
      assert.equal(pixelDigest(pixels), digest);
    });
  }

  test('HSV to RGB for every hue, saturation and value', () => {
    const hash = createHash('sha256');
    const plane = new Uint8Array(256 * 256 * 3);
    for (let h = 0; h < 180; h++) {
      for (let s = 0, o = 0; s < 256; s++) {
        for (let v = 0; v < 256; v++, o += 3) hsvToRgb(h, s, v, plane, o);
      }
      hash.update(plane);
    }
    assert.equal(hash.digest('hex').slice(0, 16), vectors.hsvCubeDigest);
  });
});

test('bilinear resize', () => {
  for (const { size, out, digest } of vectors.resize) {
    const { pixels } = resizeBilinear(formulaPixels(...size), { width: out[0], height: out[1] });
    assert.equal(pixelDigest(pixels), digest, `${size.join(' x ')} to ${out.join(' x ')}`);
  }
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { roundEven } from '../../src/augment/bilinear-row.ts';
import { IDENTITY, invertAffine, invertProjective, multiply } from '../../src/augment/matrix3.ts';
import { warpAffine } from '../../src/augment/warp-affine.ts';
import { warpPerspective } from '../../src/augment/warp-perspective.ts';
import type { RgbImage } from '../../src/data/rgb-image.ts';
import type { Matrix3 } from '../../src/data/view.ts';
import { formulaPixels } from './formula-pixels.ts';

/** The published arithmetic with 15-bit weights, tap by tap, without any short cut. */
function slowWarpAffine(image: RgbImage, matrix: Matrix3, width: number, height: number): Uint8Array {
  const inverse = invertAffine(matrix);
  const rint = (v: number): number => {
    const low = Math.floor(v);
    if (v - low !== 0.5) return Math.round(v);
    return low % 2 === 0 ? low : low + 1;
  };
  const tap = (x: number, y: number, c: number): number =>
    x < 0 || y < 0 || x >= image.width || y >= image.height
      ? 114
      : (image.pixels[(y * image.width + x) * 3 + c] ?? 0);
  const out = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const X = (rint((inverse[1] * y + inverse[2]) * 1024) + 16 + rint(inverse[0] * x * 1024)) >> 5;
      const Y = (rint((inverse[4] * y + inverse[5]) * 1024) + 16 + rint(inverse[3] * x * 1024)) >> 5;
      const [sx, sy, fx, fy] = [X >> 5, Y >> 5, X & 31, Y & 31];
      for (let c = 0; c < 3; c++) {
        let sum = 16384;
        for (const [dx, dy] of [
          [0, 0],
          [1, 0],
          [0, 1],
          [1, 1],
        ] as const) {
          const weight = (dx === 0 ? 32 - fx : fx) * (dy === 0 ? 32 - fy : fy) * 32;
          sum += weight * tap(sx + dx, sy + dy, c);
        }
        out[(y * width + x) * 3 + c] = sum >> 15;
      }
    }
  }
  return out;
}

const real = (low: number, high: number): fc.Arbitrary<number> =>
  fc.double({ min: low, max: high, noNaN: true, noDefaultInfinity: true });
const affine = fc
  .tuple(real(-2, 2), real(-2, 2), real(-40, 40), real(-2, 2), real(-2, 2), real(-40, 40))
  .map(([a, b, c, d, e, f]): Matrix3 => [a, b, c, d, e, f, 0, 0, 1])
  // Near a singular matrix positions leave the range of 32-bit integers.
  .filter((m) => Math.abs(m[0] * m[4] - m[1] * m[3]) > 1e-3);

describe('warpAffine', () => {
  test('equals the direct arithmetic', () => {
    const image = formulaPixels(23, 17);
    fc.assert(
      fc.property(affine, (matrix) => {
        const fast = warpAffine(image, matrix, { width: 20, height: 15 }).pixels;
        assert.deepEqual(fast, slowWarpAffine(image, matrix, 20, 15));
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  test('the identity copies; a whole shift moves and fills with 114', () => {
    const image = formulaPixels(12, 9);
    assert.deepEqual(warpAffine(image, IDENTITY, image).pixels, image.pixels);
    const shifted = warpAffine(image, [1, 0, 2, 0, 1, 3, 0, 0, 1], image).pixels;
    assert.deepEqual([...shifted.subarray(0, 12 * 3)], new Array<number>(36).fill(114));
    const at = (3 * 12 + 2) * 3;
    assert.deepEqual(shifted.subarray(at, at + 30), image.pixels.subarray(0, 30));
  });
});

describe('warpPerspective', () => {
  test('the identity copies', () => {
    const image = formulaPixels(70, 20);
    assert.deepEqual(warpPerspective(image, IDENTITY, image).pixels, image.pixels);
  });

  test('equals an affine warp up to rounding of the position', () => {
    const image: RgbImage = { width: 40, height: 30, pixels: new Uint8Array(3600) };
    for (let i = 0; i < 3600; i++) image.pixels[i] = 2 * (Math.floor(i / 3) % 40) + Math.floor(i / 120);
    const matrix: Matrix3 = [0.9, 0.1, 3.3, -0.05, 1.1, -2.2, 0, 0, 1];
    const a = warpAffine(image, matrix, image).pixels;
    const b = warpPerspective(image, matrix, image).pixels;
    let far = 0;
    for (let i = 0; i < a.length; i++) if (Math.abs((a[i] ?? 0) - (b[i] ?? 0)) > 5) far++;
    assert.equal(far, 0);
  });
});

describe('matrices', () => {
  test('inverses undo', () => {
    const close = (m: Matrix3): void => {
      for (const [i, value] of m.entries()) assert.ok(Math.abs(value - (IDENTITY[i] ?? 0)) < 1e-9);
    };
    const a: Matrix3 = [0.9, 0.2, 31, -0.3, 1.2, -17, 0, 0, 1];
    close(multiply(a, invertAffine(a)));
    const p: Matrix3 = [0.9, 0.2, 31, -0.3, 1.2, -17, 0.001, -0.0005, 1.1];
    close(multiply(p, invertProjective(p)));
    assert.deepEqual(invertAffine([0, 0, 1, 0, 0, 1, 0, 0, 1]).map(Math.abs), [0, 0, 0, 0, 0, 0, 0, 0, 1]);
  });

  test('rounding goes to the nearest, ties to even', () => {
    assert.deepEqual(
      [0.5, 1.5, 2.5, -0.5, -1.5, 2.4, -2.6].map(roundEven).map((v) => v + 0),
      [0, 2, 2, 0, -2, 2, -3],
    );
  });
});

/** The kernels are what their source says, and give the bytes of the plain loops. */
import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { applyHsvGain } from '../../src/augment/hsv-gain.ts';
import { warpAffine } from '../../src/augment/warp-affine.ts';
import { warpPerspective } from '../../src/augment/warp-perspective.ts';
import { kernelMemory, MOST_KERNEL_BYTES } from '../../src/data/pixel-kernels.ts';
import { resizeBilinear } from '../../src/data/resize-bilinear.ts';
import type { RgbImage } from '../../src/data/rgb-image.ts';
import type { Matrix3 } from '../../src/data/view.ts';
import { drawWords, drawKey } from '../../src/random/keyed.ts';
import { repositoryRoot } from '../reference.ts';

const noRoom = (): undefined => undefined;

const noise = (width: number, height: number, seed: number): RgbImage => {
  const pixels = new Uint8Array(width * height * 3);
  const words = new Uint8Array(Uint32Array.from(drawWords(drawKey(seed, 'test-noise'), 0)).buffer);
  for (let i = 0, state = words[0] ?? 0; i < pixels.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    pixels[i] = (state >>> 24) ^ (words[i % 16] ?? 0);
  }
  return { width, height, pixels };
};

const side = fc.integer({ min: 1, max: 70 });
const seed = fc.nat({ max: 1e6 });
const bytesEqual = (a: Uint8Array, b: Uint8Array): void => assert.equal(Buffer.compare(a, b), 0);
const runs = { seed: 1, numRuns: process.env['SOFTSHARD_TEST_LONG'] === '1' ? 3000 : 200 };

describe('pixel kernels', () => {
  test('are built from their source: the same bytes', () => {
    const folder = mkdtempSync(join(tmpdir(), 'softshard-kernels-'));
    try {
      const out = join(folder, 'pixels.wasm');
      execFileSync(process.execPath, [join(repositoryRoot, 'kernels', 'build.js'), '--out', out]);
      bytesEqual(readFileSync(out), readFileSync(join(repositoryRoot, 'src', 'data', 'pixels.wasm')));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('resize as the plain loops do', () => {
    fc.assert(
      fc.property(side, side, side, side, seed, (w, h, width, height, s) => {
        const image = noise(w, h, s);
        const target = { width, height };
        const plain = resizeBilinear(image, target, undefined, noRoom);
        bytesEqual(resizeBilinear(image, target).pixels, plain.pixels);
      }),
      runs,
    );
  });

  test('warp as the plain loops do, affinely and projectively, inside, across and beyond the border', () => {
    const entry = fc.double({ min: -3, max: 3, noNaN: true });
    const shift = fc.double({ min: -80, max: 80, noNaN: true });
    const slope = fc.double({ min: -0.02, max: 0.02, noNaN: true });
    fc.assert(
      fc.property(
        fc.tuple(entry, entry, shift, entry, entry, shift, slope, slope),
        ...[side, side, side, side, seed],
        ([a, b, c, d, e, f, g, h], w, ih, width, height, s) => {
          const image = noise(w, ih, s);
          const size = { width, height };
          const affine: Matrix3 = [a, b, c, d, e, f, 0, 0, 1];
          const projective: Matrix3 = [a, b, c, d, e, f, g, h, 1];
          for (const [warp, m] of [
            [warpAffine, affine],
            [warpPerspective, projective],
          ] as const) {
            const plain = warp(image, m, size, undefined, noRoom);
            bytesEqual(warp(image, m, size).pixels, plain.pixels);
          }
        },
      ),
      runs,
    );
  });

  test('gain colours as the plain loops do, and touch nothing beyond', () => {
    const gain = fc.double({ min: 0, max: 2, noNaN: true });
    fc.assert(
      fc.property(side, side, fc.tuple(gain, gain, gain), seed, (w, h, gains, s) => {
        const plain = noise(w, h, s).pixels;
        const fast = plain.slice();
        applyHsvGain(plain, gains, noRoom);
        applyHsvGain(fast, gains);
        bytesEqual(fast, plain);
      }),
      runs,
    );
  });

  test('have memory up to a bound; what is larger goes through the plain loops', () => {
    assert.equal(kernelMemory([MOST_KERNEL_BYTES]), undefined);
    const { at, buffer } = kernelMemory([10, 1000, 3]) ?? { at: [], buffer: new ArrayBuffer(0) };
    assert.ok(at.every((place) => place % 16 === 0 && place + 16 <= buffer.byteLength));
    assert.ok((at[1] ?? 0) >= (at[0] ?? 0) + 26 && (at[2] ?? 0) >= (at[1] ?? 0) + 1016);
  });
});

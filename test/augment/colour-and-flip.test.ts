import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flipHorizontally, flipVertically } from '../../src/augment/flip.ts';
import { applyHsvGain, gainTables, rgbToHsv } from '../../src/augment/hsv-gain.ts';
import { formulaPixels } from './formula-pixels.ts';

/** The published integer formula, tables and all, written out. */
function referenceHsv(r: number, g: number, b: number): number[] {
  const v = Math.max(r, g, b);
  const d = v - Math.min(r, g, b);
  const s = v === 0 ? 0 : (d * Math.round((255 * 4096) / v) + 2048) >> 12;
  const h = v === r ? g - b : v === g ? b - r + 2 * d : r - g + 4 * d;
  const hue = d === 0 ? 0 : (h * Math.round((180 * 4096) / (6 * d)) + 2048) >> 12;
  return [hue < 0 ? hue + 180 : hue, s, v];
}

test('RGB to HSV follows the integer tables', () => {
  for (let r = 0; r < 256; r += 5) {
    for (let g = 0; g < 256; g += 3) {
      for (let b = 0; b < 256; b += 3) assert.deepEqual([...rgbToHsv(r, g, b)], referenceHsv(r, g, b));
    }
  }
  assert.deepEqual(rgbToHsv(255, 0, 0), [0, 255, 255]);
  assert.deepEqual(rgbToHsv(0, 255, 0), [60, 255, 255]);
  assert.deepEqual(rgbToHsv(0, 0, 255), [120, 255, 255]);
  assert.deepEqual(rgbToHsv(7, 7, 7), [0, 0, 7]);
});

test('gain tables truncate, wrap hue at 180 and clip the others at 255', () => {
  const [hue, saturation, value] = gainTables([1.01, 1.7, 0.6]);
  assert.equal(hue[179], Math.trunc((179 * 1.01) % 180));
  assert.equal(hue[179], 0);
  assert.equal(hue[100], 101);
  assert.equal(saturation[100], 170);
  assert.equal(saturation[200], 255);
  assert.equal(value[255], 153);
  assert.equal(value[3], 1);
});

test('colour gains work in place; value 0 is black, saturation 0 grey', () => {
  const black = formulaPixels(8, 8).pixels;
  applyHsvGain(black, [1, 1, 0]);
  assert.ok(black.every((v) => v === 0));
  const grey = formulaPixels(8, 8).pixels;
  applyHsvGain(grey, [1, 0, 1]);
  for (let i = 0; i < grey.length; i += 3) {
    assert.equal(grey[i], grey[i + 1]);
    assert.equal(grey[i], grey[i + 2]);
  }
});

for (const [width, height] of [
  [5, 4],
  [4, 5],
  [1, 1],
] as const) {
  test(`flips of ${width} x ${height} move pixels and undo themselves`, () => {
    const { pixels } = formulaPixels(width, height);
    const before = pixels.slice();
    const at = (data: Uint8Array, x: number, y: number): number[] => [
      ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
    ];
    flipHorizontally(pixels, { width, height });
    assert.deepEqual(at(pixels, 0, height - 1), at(before, width - 1, height - 1));
    flipVertically(pixels, { width, height });
    assert.deepEqual(at(pixels, 0, 0), at(before, width - 1, height - 1));
    flipVertically(pixels, { width, height });
    flipHorizontally(pixels, { width, height });
    assert.deepEqual(pixels, before);
  });
}

/** Deterministic noise pictures for tests: byte i is a 32-bit integer hash of i and the seed. */
import type { RgbImage } from '../../src/data/rgb-image.ts';

export function noiseImage(width: number, height: number, seed: number): RgbImage {
  const pixels = new Uint8Array(width * height * 3);
  for (let i = 0; i < pixels.length; i++) {
    let x = Math.imul(i + seed * 1_000_003, 2_654_435_761) >>> 0;
    x ^= x >>> 15;
    x = Math.imul(x, 2_246_822_519) >>> 0;
    x ^= x >>> 13;
    pixels[i] = x >>> 24;
  }
  return { width, height, pixels };
}

/** A picture of one colour. */
export function flatImage(width: number, height: number, rgb: readonly [number, number, number]): RgbImage {
  const pixels = new Uint8Array(width * height * 3);
  for (let i = 0; i < pixels.length; i++) pixels[i] = rgb[i % 3] ?? 0;
  return { width, height, pixels };
}

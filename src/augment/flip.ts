/** Mirror images of 8-bit RGB, in place. */
import type { PixelSize } from '../data/rgb-image.ts';

/** Left to right: column x goes to width - 1 - x. */
export function flipHorizontally(pixels: Uint8Array, { width, height }: PixelSize): void {
  for (let y = 0; y < height; y++) {
    let p = y * width * 3;
    let q = p + (width - 1) * 3;
    for (; p < q; p += 3, q -= 3) {
      for (let c = 0; c < 3; c++) {
        const held = pixels[p + c] ?? 0;
        pixels[p + c] = pixels[q + c] ?? 0;
        pixels[q + c] = held;
      }
    }
  }
}

/** Upside down: row y goes to height - 1 - y. */
export function flipVertically(pixels: Uint8Array, { width, height }: PixelSize): void {
  const row = width * 3;
  const held = new Uint8Array(row);
  for (let top = 0, bottom = height - 1; top < bottom; top++, bottom--) {
    held.set(pixels.subarray(top * row, (top + 1) * row));
    pixels.copyWithin(top * row, bottom * row, (bottom + 1) * row);
    pixels.set(held, bottom * row);
  }
}

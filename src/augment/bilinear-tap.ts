/** One bilinear sample of 8-bit RGB at a position in 1/32 pixels: the inner step of both warps. */
import { PAD_VALUE } from '../data/letterbox.ts';

/** `x` rounded to the nearest integer, ties to even, for |x| < 2^51: adding 1.5 * 2^52 drops the fraction. */
export const roundEven = (x: number): number => x + 6755399441055744 - 6755399441055744;

/** Pixel and channel of an image, or the border's grey outside. */
const at = (pixels: Uint8Array, width: number, height: number, x: number, y: number, c: number): number =>
  x >= 0 && y >= 0 && x < width && y < height ? (pixels[(y * width + x) * 3 + c] ?? 0) : PAD_VALUE;

/**
 * Writes the RGB sample at (X / 32, Y / 32) to out[o … o+2]. Weights are products of 5-bit fractions, in OpenCV's
 * 15-bit scale 32 times larger: (sum w p + 16384) >> 15 there equals (sum w p + 512) >> 10 here, exactly. A tap
 * outside the image counts as the border's grey.
 */
export function bilinearTap(
  pixels: Uint8Array,
  width: number,
  height: number,
  X: number,
  Y: number,
  out: Uint8Array,
  o: number,
): void {
  const x = X >> 5;
  const y = Y >> 5;
  const fx = X & 31;
  const fy = Y & 31;
  const w00 = (32 - fy) * (32 - fx);
  const w01 = (32 - fy) * fx;
  const w10 = fy * (32 - fx);
  const w11 = fy * fx;
  if (x >= 0 && y >= 0 && x < width - 1 && y < height - 1) {
    const p = (y * width + x) * 3;
    const q = p + width * 3;
    const t = p + 3;
    const u = q + 3;
    const red = (pixels[p] ?? 0) * w00 + (pixels[t] ?? 0) * w01 + (pixels[q] ?? 0) * w10;
    out[o] = (red + (pixels[u] ?? 0) * w11 + 512) >> 10;
    const green = (pixels[p + 1] ?? 0) * w00 + (pixels[t + 1] ?? 0) * w01 + (pixels[q + 1] ?? 0) * w10;
    out[o + 1] = (green + (pixels[u + 1] ?? 0) * w11 + 512) >> 10;
    const blue = (pixels[p + 2] ?? 0) * w00 + (pixels[t + 2] ?? 0) * w01 + (pixels[q + 2] ?? 0) * w10;
    out[o + 2] = (blue + (pixels[u + 2] ?? 0) * w11 + 512) >> 10;
  } else if (x >= width || y >= height || x < -1 || y < -1) {
    out[o] = PAD_VALUE;
    out[o + 1] = PAD_VALUE;
    out[o + 2] = PAD_VALUE;
  } else {
    for (let c = 0; c < 3; c++) {
      const sum =
        at(pixels, width, height, x, y, c) * w00 +
        at(pixels, width, height, x + 1, y, c) * w01 +
        at(pixels, width, height, x, y + 1, c) * w10 +
        at(pixels, width, height, x + 1, y + 1, c) * w11;
      out[o + c] = (sum + 512) >> 10;
    }
  }
}

/** Bilinear samples of 8-bit RGB at positions in 1/32 pixels, a row at a time: the inner loop of both warps. */
import { PAD_VALUE } from '../data/letterbox.ts';
import type { RgbImage } from '../data/rgb-image.ts';

/** `x` rounded to the nearest integer, ties to even, for |x| < 2^51: adding 1.5 * 2^52 drops the fraction. */
export const roundEven = (x: number): number => x + 6755399441055744 - 6755399441055744;

/** Pixel and channel of an image, or the border's grey outside. */
const at = ({ pixels, width, height }: RgbImage, x: number, y: number, c: number): number =>
  x >= 0 && y >= 0 && x < width && y < height ? (pixels[(y * width + x) * 3 + c] ?? 0) : PAD_VALUE;

/** A sample of which some taps lie outside the image. */
function sampleBorder(
  image: RgbImage,
  x: number,
  y: number,
  fx: number,
  fy: number,
  out: Uint8Array,
  o: number,
): void {
  for (let c = 0; c < 3; c++) {
    const upper = at(image, x, y, c) * (32 - fx) + at(image, x + 1, y, c) * fx;
    const lower = at(image, x, y + 1, c) * (32 - fx) + at(image, x + 1, y + 1, c) * fx;
    out[o + c] = (upper * (32 - fy) + lower * fy + 512) >> 10;
  }
}

/**
 * Writes the RGB samples at (X[i] / 32, Y[i] / 32), i below `count`, to `out` from `o` on. Weights are products of
 * 5-bit fractions, in OpenCV's 15-bit scale 32 times larger: (sum w p + 16384) >> 15 there equals
 * (sum w p + 512) >> 10 here, exactly; so does the sum taken along x, then along y. A tap outside the image counts as
 * the border's grey.
 */
export function sampleRow(
  image: RgbImage,
  X: Int32Array,
  Y: Int32Array,
  count: number,
  out: Uint8Array,
  o: number,
): void {
  const { pixels, width, height } = image;
  const stride = width * 3;
  const [lastX, lastY] = [width - 1, height - 1];
  for (let i = 0, to = o; i < count; i++, to += 3) {
    const positionX = X[i] ?? 0;
    const positionY = Y[i] ?? 0;
    const x = positionX >> 5;
    const y = positionY >> 5;
    const fx = positionX & 31;
    const fy = positionY & 31;
    if (x >= 0 && y >= 0 && x < lastX && y < lastY) {
      const p = y * stride + x * 3;
      const q = p + stride;
      const p0 = pixels[p] ?? 0;
      const p1 = pixels[p + 1] ?? 0;
      const p2 = pixels[p + 2] ?? 0;
      const q0 = pixels[q] ?? 0;
      const q1 = pixels[q + 1] ?? 0;
      const q2 = pixels[q + 2] ?? 0;
      const upper0 = (p0 << 5) + ((pixels[p + 3] ?? 0) - p0) * fx;
      const upper1 = (p1 << 5) + ((pixels[p + 4] ?? 0) - p1) * fx;
      const upper2 = (p2 << 5) + ((pixels[p + 5] ?? 0) - p2) * fx;
      const lower0 = (q0 << 5) + ((pixels[q + 3] ?? 0) - q0) * fx;
      const lower1 = (q1 << 5) + ((pixels[q + 4] ?? 0) - q1) * fx;
      const lower2 = (q2 << 5) + ((pixels[q + 5] ?? 0) - q2) * fx;
      out[to] = ((upper0 << 5) + (lower0 - upper0) * fy + 512) >> 10;
      out[to + 1] = ((upper1 << 5) + (lower1 - upper1) * fy + 512) >> 10;
      out[to + 2] = ((upper2 << 5) + (lower2 - upper2) * fy + 512) >> 10;
    } else if (x >= width || y >= height || x < -1 || y < -1) {
      out[to] = PAD_VALUE;
      out[to + 1] = PAD_VALUE;
      out[to + 2] = PAD_VALUE;
    } else {
      sampleBorder(image, x, y, fx, fy, out, to);
    }
  }
}

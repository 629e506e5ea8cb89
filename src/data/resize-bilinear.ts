/**
 * Bilinear resize of 8-bit RGB in OpenCV's fixed-point arithmetic (INTER_LINEAR), bit for bit: 11-bit weights,
 * an integer horizontal pass, a vertical pass that drops 4 bits before and 16 after the multiplication.
 */
import { checkRgbImage, pixelsFor, type PixelSize, type RgbImage } from './rgb-image.ts';
import { roundHalfEven } from './round-half-even.ts';

/** For each output position: the first source position and the weights (sum about 2048) of it and the next. */
interface LinearTaps {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly weight0: Int32Array;
  readonly weight1: Int32Array;
}

/**
 * Taps along one axis. Pixel centres are aligned: f = (i + 0.5) * source / target - 0.5, as float32. At the
 * border both positions clamp; columns also lose their fraction there while rows keep it, which can round differently.
 */
function linearTaps(source: number, target: number, keepFraction: boolean): LinearTaps {
  const first = new Int32Array(target);
  const second = new Int32Array(target);
  const weight0 = new Int32Array(target);
  const weight1 = new Int32Array(target);
  const scale = source / target;
  for (let i = 0; i < target; i++) {
    const f = Math.fround((i + 0.5) * scale - 0.5);
    let s = Math.floor(f);
    let fraction = Math.fround(f - s);
    if (!keepFraction && (s < 0 || s >= source - 1)) {
      s = s < 0 ? 0 : source - 1;
      fraction = 0;
    }
    first[i] = Math.min(Math.max(s, 0), source - 1);
    second[i] = Math.min(Math.max(s + 1, 0), source - 1);
    weight0[i] = roundHalfEven(Math.fround(1 - fraction) * 2048);
    weight1[i] = roundHalfEven(fraction * 2048);
  }
  return { first, second, weight0, weight1 };
}

/** Horizontal pass of one source row into `row` (target.width * 3 integers, pixel * weight, at most 255 * 2048). */
function resizeRow(pixels: Uint8Array, offset: number, taps: LinearTaps, row: Int32Array): void {
  const { first, second, weight0, weight1 } = taps;
  const n = first.length;
  for (let x = 0, o = 0; x < n; x++, o += 3) {
    const p = offset + (first[x] ?? 0) * 3;
    const q = offset + (second[x] ?? 0) * 3;
    const a = weight0[x] ?? 0;
    const b = weight1[x] ?? 0;
    row[o] = (pixels[p] ?? 0) * a + (pixels[q] ?? 0) * b;
    row[o + 1] = (pixels[p + 1] ?? 0) * a + (pixels[q + 1] ?? 0) * b;
    row[o + 2] = (pixels[p + 2] ?? 0) * a + (pixels[q + 2] ?? 0) * b;
  }
}

/**
 * Resizes `image` to `target` with bilinear weights (no antialiasing when shrinking). Writes into `into` when given
 * (target.height * target.width * 3 bytes, not overlapping the source), else allocates. An equal size copies.
 * Throws E_INTERNAL on a buffer of the wrong length.
 */
export function resizeBilinear(image: RgbImage, target: PixelSize, into?: Uint8Array): RgbImage {
  checkRgbImage(image, 'resizeBilinear');
  const { width, height } = target;
  const out = pixelsFor(target, into, 'resizeBilinear');
  if (image.width === width && image.height === height) {
    out.set(image.pixels);
    return { width, height, pixels: out };
  }
  const columns = linearTaps(image.width, width, false);
  const rows = linearTaps(image.height, height, true);
  const n = width * 3;
  let upper = new Int32Array(n);
  let lower = new Int32Array(n);
  let upperRow = -1;
  let lowerRow = -1;
  for (let y = 0; y < height; y++) {
    const r0 = rows.first[y] ?? 0;
    const r1 = rows.second[y] ?? 0;
    if (r0 !== upperRow && r0 === lowerRow) {
      [upper, lower] = [lower, upper];
      [upperRow, lowerRow] = [lowerRow, upperRow];
    }
    if (r0 !== upperRow) resizeRow(image.pixels, r0 * image.width * 3, columns, upper);
    upperRow = r0;
    if (r1 !== lowerRow) resizeRow(image.pixels, r1 * image.width * 3, columns, lower);
    lowerRow = r1;
    const b0 = rows.weight0[y] ?? 0;
    const b1 = rows.weight1[y] ?? 0;
    const o = y * n;
    for (let i = 0; i < n; i++) {
      const t0 = ((upper[i] ?? 0) >> 4) * b0;
      const t1 = ((lower[i] ?? 0) >> 4) * b1;
      out[o + i] = ((t0 >> 16) + (t1 >> 16) + 2) >> 2;
    }
  }
  return { width, height, pixels: out };
}

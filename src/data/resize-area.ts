/**
 * Area (box filter) shrinking of 8-bit RGB in OpenCV's arithmetic (INTER_AREA): integer sums where both axes shrink
 * by whole factors, else a separable filter with partial weights at both ends, accumulated in float32.
 */
import { SoftshardError } from '../errors.ts';
import { checkRgbImage, pixelsFor, type PixelSize, type RgbImage } from './rgb-image.ts';
import { roundHalfEven } from './round-half-even.ts';

/** Shortest part of a source pixel that still counts, in source pixels. */
const SMALLEST_PART = 1e-3;

/** Weighted source positions of each output position i: entries start[i] up to start[i + 1]. */
interface AreaTaps {
  readonly start: Int32Array;
  readonly position: Int32Array;
  readonly weight: Float32Array;
}

function areaTaps(source: number, target: number): AreaTaps {
  const scale = source / target;
  const start = new Int32Array(target + 1);
  const position: number[] = [];
  const weight: number[] = [];
  for (let i = 0; i < target; i++) {
    const begin = i * scale;
    const end = begin + scale;
    const cell = Math.min(scale, source - begin);
    const last = Math.min(Math.floor(end), source - 1);
    const first = Math.min(Math.ceil(begin), last);
    if (first - begin > SMALLEST_PART) {
      position.push(first - 1);
      weight.push((first - begin) / cell);
    }
    for (let s = first; s < last; s++) {
      position.push(s);
      weight.push(1 / cell);
    }
    if (end - last > SMALLEST_PART) {
      position.push(last);
      weight.push(Math.min(end - last, 1, cell) / cell);
    }
    start[i + 1] = position.length;
  }
  return { start, position: Int32Array.from(position), weight: Float32Array.from(weight) };
}

/** Whole factors kx:1 and ky:1. The 2:2 mean rounds halves up, all others to even (as float32 products do). */
function shrinkByWhole(image: RgbImage, target: PixelSize, kx: number, ky: number, out: Uint8Array): void {
  const { pixels } = image;
  const stride = image.width * 3;
  const { width, height } = target;
  const factor = Math.fround(1 / (kx * ky));
  const twoByTwo = kx === 2 && ky === 2;
  for (let y = 0, o = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++, o++) {
        let sum = 0;
        const corner = y * ky * stride + x * kx * 3 + c;
        for (let v = 0, row = corner; v < ky; v++, row += stride) {
          for (let u = 0, p = row; u < kx; u++, p += 3) sum += pixels[p] ?? 0;
        }
        out[o] = twoByTwo ? (sum + 2) >> 2 : roundHalfEven(Math.fround(sum * factor));
      }
    }
  }
}

/** Horizontal pass of one source row into `row`, float32 [target.width * 3]. */
function shrinkRow(pixels: Uint8Array, offset: number, taps: AreaTaps, row: Float32Array): void {
  const { start, position, weight } = taps;
  const n = start.length - 1;
  for (let x = 0, o = 0; x < n; x++, o += 3) {
    const end = start[x + 1] ?? 0;
    let r = 0;
    let g = 0;
    let b = 0;
    for (let k = start[x] ?? 0; k < end; k++) {
      const p = offset + (position[k] ?? 0) * 3;
      const w = weight[k] ?? 0;
      r = Math.fround(r + Math.fround((pixels[p] ?? 0) * w));
      g = Math.fround(g + Math.fround((pixels[p + 1] ?? 0) * w));
      b = Math.fround(b + Math.fround((pixels[p + 2] ?? 0) * w));
    }
    row[o] = r;
    row[o + 1] = g;
    row[o + 2] = b;
  }
}

/** Rounds a float32 in 0...255 (plus rounding error) to the nearest byte, ties to even. */
function storeRounded(sums: Float32Array, out: Uint8Array, offset: number): void {
  const n = sums.length;
  for (let i = 0; i < n; i++) {
    const v = sums[i] ?? 0;
    let whole = (v + 0.5) | 0;
    if (whole - v === 0.5 && (whole & 1) === 1) whole--;
    out[offset + i] = whole > 255 ? 255 : whole;
  }
}

function shrinkByFraction(image: RgbImage, target: PixelSize, out: Uint8Array): void {
  const columns = areaTaps(image.width, target.width);
  const rows = areaTaps(image.height, target.height);
  const n = target.width * 3;
  const row = new Float32Array(n);
  const sums = new Float32Array(n);
  let rowHeld = -1;
  for (let y = 0; y < target.height; y++) {
    sums.fill(0);
    const end = rows.start[y + 1] ?? 0;
    for (let k = rows.start[y] ?? 0; k < end; k++) {
      const source = rows.position[k] ?? 0;
      const w = rows.weight[k] ?? 0;
      if (source !== rowHeld) shrinkRow(image.pixels, source * image.width * 3, columns, row);
      rowHeld = source;
      for (let i = 0; i < n; i++) sums[i] = Math.fround(sums[i] ?? 0) + Math.fround((row[i] ?? 0) * w);
    }
    storeRounded(sums, out, y * n);
  }
}

/**
 * Shrinks `image` to `target` by averaging areas. Neither side may grow (E_INTERNAL). Writes into `into` when given
 * (target.height * target.width * 3 bytes, not overlapping the source), else allocates. An equal size copies.
 */
export function resizeArea(image: RgbImage, target: PixelSize, into?: Uint8Array): RgbImage {
  checkRgbImage(image, 'resizeArea');
  const { width, height } = target;
  if (width > image.width || height > image.height) {
    throw new SoftshardError('E_INTERNAL', {
      message: 'Area averaging only shrinks.',
      expected: `at most ${image.width} x ${image.height} pixels`,
      found: `${width} x ${height} pixels`,
      where: 'resizeArea',
    });
  }
  const out = pixelsFor(target, into, 'resizeArea');
  const kx = image.width / width;
  const ky = image.height / height;
  if (kx === 1 && ky === 1) out.set(image.pixels);
  else if (Number.isInteger(kx) && Number.isInteger(ky)) shrinkByWhole(image, target, kx, ky, out);
  else shrinkByFraction(image, target, out);
  return { width, height, pixels: out };
}

/**
 * Bilinear resize of 8-bit RGB in OpenCV's fixed-point arithmetic (INTER_LINEAR), bit for bit: 11-bit weights,
 * an integer horizontal pass, a vertical pass that drops 4 bits before and 16 after the multiplication.
 */
import { kernelMemory, pixelKernels } from './pixel-kernels.ts';
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

/** The two source rows of each target row, each resized once: `resize` is told a source row and one of two slots. */
function eachRow(
  rows: LinearTaps,
  resize: (row: number, slot: 0 | 1) => void,
  join: (y: number, upper: 0 | 1, lower: 0 | 1) => void,
): void {
  const held = [-1, -1];
  const slotOf = (row: number, spared: number): 0 | 1 => {
    if (held[0] === row) return 0;
    if (held[1] === row) return 1;
    const slot = held[0] === spared ? 1 : 0;
    resize(row, slot);
    held[slot] = row;
    return slot;
  };
  for (let y = 0; y < rows.first.length; y++) {
    const first = rows.first[y] ?? 0;
    const second = rows.second[y] ?? 0;
    const upper = slotOf(first, second);
    join(y, upper, slotOf(second, first));
  }
}

/** In WebAssembly; false where the pictures are too large for it. */
function resizeInKernel(
  image: RgbImage,
  { width, height }: PixelSize,
  out: Uint8Array,
  memoryOf: typeof kernelMemory,
): boolean {
  const n = width * 3;
  const { pixels } = image;
  const memory = memoryOf([pixels.length, width * 4, width * 16, n * 2, n * 2, n * height]);
  if (memory === undefined) return false;
  const { at, buffer } = memory;
  const [source = 0, offsets = 0, weights = 0, rowA = 0, rowB = 0, result = 0] = at;
  const columns = linearTaps(image.width, width, false);
  const rows = linearTaps(image.height, height, true);
  new Uint8Array(buffer, source, pixels.length).set(pixels);
  const offset = new Int32Array(buffer, offsets, width);
  const weight = new Int16Array(buffer, weights, width * 8);
  for (let x = 0; x < width; x++) {
    const a = columns.weight0[x] ?? 0;
    const b = columns.weight1[x] ?? 0;
    offset[x] = (columns.first[x] ?? 0) * 3;
    // Where both taps are one pixel, at an edge, the other's weight is 0, whatever stands there.
    for (let c = 0; c < 3; c++) {
      weight[8 * x + 2 * c] = a;
      weight[8 * x + 2 * c + 1] = b;
    }
    weight[8 * x + 6] = 0;
    weight[8 * x + 7] = 0;
  }
  const { resizeRow: resize, joinRows } = pixelKernels();
  const slots = [rowA, rowB] as const;
  eachRow(
    rows,
    (row, slot) => resize(source + row * image.width * 3, offsets, weights, width, slots[slot]),
    (y, upper, lower) => {
      const b0 = rows.weight0[y] ?? 0;
      const b1 = rows.weight1[y] ?? 0;
      joinRows(slots[upper], slots[lower], b0, b1, n, result + y * n);
    },
  );
  out.set(new Uint8Array(buffer, result, n * height));
  return true;
}

/** The same in plain loops. */
function resizePlain(image: RgbImage, { width, height }: PixelSize, out: Uint8Array): void {
  const columns = linearTaps(image.width, width, false);
  const rows = linearTaps(image.height, height, true);
  const n = width * 3;
  const slots = [new Int32Array(n), new Int32Array(n)] as const;
  eachRow(
    rows,
    (row, slot) => resizeRow(image.pixels, row * image.width * 3, columns, slots[slot]),
    (y, upper, lower) => {
      const [u, l] = [slots[upper], slots[lower]];
      const b0 = rows.weight0[y] ?? 0;
      const b1 = rows.weight1[y] ?? 0;
      const o = y * n;
      for (let i = 0; i < n; i++) {
        const t0 = ((u[i] ?? 0) >> 4) * b0;
        const t1 = ((l[i] ?? 0) >> 4) * b1;
        out[o + i] = ((t0 >> 16) + (t1 >> 16) + 2) >> 2;
      }
    },
  );
}

/**
 * Resizes `image` to `target` with bilinear weights (no antialiasing when shrinking). Writes into `into` when given
 * (target.height * target.width * 3 bytes, not overlapping the source), else allocates. An equal size copies.
 * Throws E_INTERNAL on a buffer of the wrong length.
 * `memoryOf` finds room for the kernel; without room the plain loops give the same bytes.
 */
export function resizeBilinear(
  image: RgbImage,
  target: PixelSize,
  into?: Uint8Array,
  memoryOf = kernelMemory,
): RgbImage {
  checkRgbImage(image, 'resizeBilinear');
  const { width, height } = target;
  const out = pixelsFor(target, into, 'resizeBilinear');
  if (image.width === width && image.height === height) {
    out.set(image.pixels);
    return { width, height, pixels: out };
  }
  if (!resizeInKernel(image, target, out, memoryOf)) resizePlain(image, target, out);
  return { width, height, pixels: out };
}

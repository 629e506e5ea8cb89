/**
 * The inner loops of resizing, warping and colour, in AssemblyScript with WebAssembly's SIMD: `npm run kernels` builds
 * `src/data/pixels.wasm` of it. Pointers are bytes in the module's memory; whoever calls lays the memory out, and
 * leaves 16 bytes behind every picture and row, which may be read and overwritten.
 */

/** Where tables stand that the caller fills once. */
const HSV_SATURATION: usize = 1024; // 256 int32
const HSV_HUE: usize = 2048; // 256 int32
const GAIN_TABLES: usize = 3072; // hue, saturation, value: 3 x 256 uint8
const WEIGHTS: usize = 4096; // 32 vectors of int16: 32 - f, f, three times, then zeros
const SECTORS: usize = 4608; // 6 vectors: shuffles that bring full, low, falling, rising in the order of RGB
const SECTOR_OF: usize = 4864; // 180 uint8
const UNITS: usize = 5120; // 256 float32: i / 255
const SHADES: usize = 8192; // 180 x 256 vectors of float32: 1, 1 - s, 1 - s * along, 1 - s * rest

const GREY: i32 = 114;

/** RGBRGB, eight bytes at `p`, as int16 pairs of one channel: r0 r1 g0 g1 b0 b1 and two more. */
// @ts-ignore: decorator
@inline
function pairs(p: usize): v128 {
  return i8x16.shuffle(v128.load64_zero(p), i8x16.splat(0), 0, 16, 3, 17, 1, 18, 4, 19, 2, 20, 5, 21, 6, 22, 7, 23);
}

/**
 * One source row, horizontally resized: for each of `count` columns its offset in bytes (int32) and its weights (eight
 * int16, as `pairs` has them), to int16 pixel * weight >> 4, three a column.
 */
export function resizeRow(source: usize, offsets: usize, weights: usize, count: i32, row: usize): void {
  for (let i = 0; i < count; i++) {
    const taps = pairs(source + <usize>load<i32>(offsets + (<usize>i << 2)));
    const sums = i32x4.dot_i16x8_s(taps, v128.load(weights + (<usize>i << 4)));
    const kept = i32x4.shr_s(sums, 4);
    v128.store64_lane(row, i16x8.narrow_i32x4_s(kept, kept), 0);
    row += 6;
  }
}

/** Two resized rows of `values` int16 joined: ((upper * b0 >> 16) + (lower * b1 >> 16) + 2) >> 2 as uint8. */
export function joinRows(upper: usize, lower: usize, b0: i32, b1: i32, values: i32, out: usize): void {
  const w0 = i16x8.splat(<i16>b0);
  const w1 = i16x8.splat(<i16>b1);
  const two = i32x4.splat(2);
  for (let i = 0; i < values; i += 8) {
    const u = v128.load(upper);
    const l = v128.load(lower);
    const low = i32x4.shr_s(
      i32x4.add(
        i32x4.add(
          i32x4.shr_s(i32x4.extmul_low_i16x8_s(u, w0), 16),
          i32x4.shr_s(i32x4.extmul_low_i16x8_s(l, w1), 16),
        ),
        two,
      ),
      2,
    );
    const high = i32x4.shr_s(
      i32x4.add(
        i32x4.add(
          i32x4.shr_s(i32x4.extmul_high_i16x8_s(u, w0), 16),
          i32x4.shr_s(i32x4.extmul_high_i16x8_s(l, w1), 16),
        ),
        two,
      ),
      2,
    );
    const words = i16x8.narrow_i32x4_s(low, high);
    v128.store64_lane(out, i8x16.narrow_i16x8_u(words, words), 0);
    upper += 16;
    lower += 16;
    out += 8;
  }
}

/** Channel `c` of pixel (x, y), or the border's grey. */
function tap(image: usize, width: i32, height: i32, x: i32, y: i32, c: i32): i32 {
  if (<u32>x >= <u32>width || <u32>y >= <u32>height) return GREY;
  return <i32>load<u8>(image + <usize>((y * width + x) * 3 + c));
}

/** The sample at (X, Y) / 32 where some taps lie outside. */
function borderSample(image: usize, width: i32, height: i32, X: i32, Y: i32, out: usize): void {
  const x = X >> 5;
  const y = Y >> 5;
  const fx = X & 31;
  const fy = Y & 31;
  for (let c = 0; c < 3; c++) {
    const upper = tap(image, width, height, x, y, c) * (32 - fx) + tap(image, width, height, x + 1, y, c) * fx;
    const lower =
      tap(image, width, height, x, y + 1, c) * (32 - fx) + tap(image, width, height, x + 1, y + 1, c) * fx;
    store<u8>(out + c, (upper * (32 - fy) + lower * fy + 512) >> 10);
  }
}

// @ts-ignore: decorator
@inline
function sample(image: usize, width: i32, height: i32, X: i32, Y: i32, out: usize): void {
  const x = X >> 5;
  const y = Y >> 5;
  if (<u32>x < <u32>(width - 1) && <u32>y < <u32>(height - 1) && x >= 0 && y >= 0) {
    const p = image + <usize>((y * width + x) * 3);
    const across = v128.load(WEIGHTS + (<usize>(X & 31) << 4));
    const down = v128.load(WEIGHTS + (<usize>(Y & 31) << 4));
    const upper = i32x4.dot_i16x8_s(pairs(p), across);
    const lower = i32x4.dot_i16x8_s(pairs(p + <usize>(width * 3)), across);
    // Both below 2^15: as int16 they stand in pairs again.
    const both = v128.or(upper, i32x4.shl(lower, 16));
    const sums = i32x4.shr_s(i32x4.add(i32x4.dot_i16x8_s(both, down), i32x4.splat(512)), 10);
    const words = i16x8.narrow_i32x4_s(sums, sums);
    v128.store32_lane(out, i8x16.narrow_i16x8_u(words, words), 0);
  } else if (x >= width || y >= height || x < -1 || y < -1) {
    store<u8>(out, GREY);
    store<u8>(out + 1, GREY);
    store<u8>(out + 2, GREY);
  } else {
    borderSample(image, width, height, X, Y, out);
  }
}

/** Samples of an affine warp's row: positions (start + step[i]) >> 5 in 1/32 pixels; steps are int32. */
export function affineRow(
  image: usize,
  width: i32,
  height: i32,
  startX: i32,
  startY: i32,
  stepX: usize,
  stepY: usize,
  count: i32,
  out: usize,
): void {
  for (let i: usize = 0; i < <usize>count; i++) {
    const X = (startX + load<i32>(stepX + (i << 2))) >> 5;
    const Y = (startY + load<i32>(stepY + (i << 2))) >> 5;
    sample(image, width, height, X, Y, out);
    out += 3;
  }
}

/** Samples at given positions in 1/32 pixels, int32. */
export function sampleRow(
  image: usize,
  width: i32,
  height: i32,
  X: usize,
  Y: usize,
  count: i32,
  out: usize,
): void {
  for (let i: usize = 0; i < <usize>count; i++) {
    sample(image, width, height, load<i32>(X + (i << 2)), load<i32>(Y + (i << 2)), out);
    out += 3;
  }
}

/** Gains on hue, saturation and value by the tables, in place, over `count` RGB pixels. */
export function gainPixels(pixels: usize, count: i32): void {
  const end = pixels + <usize>count * 3;
  // The fourth byte that is stored belongs to the next pixel, which is read before.
  let next = load<u32>(pixels);
  for (let p = pixels; p < end; p += 3) {
    const word = next;
    next = load<u32>(p + 3);
    const r = <i32>(word & 255);
    const g = <i32>((word >> 8) & 255);
    const b = <i32>((word >> 16) & 255);
    const v = max(r, max(g, b));
    const d = v - min(r, min(g, b));
    const s = (d * load<i32>(HSV_SATURATION + (<usize>v << 2)) + 2048) >> 12;
    const arc = v == r ? g - b : v == g ? b - r + 2 * d : r - g + 4 * d;
    let h = (arc * load<i32>(HSV_HUE + (<usize>d << 2)) + 2048) >> 12;
    h += (h >> 31) & 180;
    const hue = <usize>load<u8>(GAIN_TABLES + <usize>h);
    const saturation = <usize>load<u8>(GAIN_TABLES + 256 + <usize>s);
    const value = <usize>load<u8>(GAIN_TABLES + 512 + <usize>v);
    const shades = v128.load(SHADES + (((hue << 8) + saturation) << 4));
    const light = f32x4.splat(load<f32>(UNITS + (value << 2)));
    const levels = i32x4.trunc_sat_f32x4_s(f32x4.mul(f32x4.mul(light, shades), f32x4.splat(255)));
    const shuffle = v128.load(SECTORS + (<usize>load<u8>(SECTOR_OF + hue) << 4));
    v128.store32_lane(p, i8x16.swizzle(levels, shuffle), 0);
  }
  // What the last pixel overwrote.
  store<u8>(end, next & 255);
}

/** Colour jitter: gains on hue, saturation and value of 8-bit RGB, through OpenCV's 8-bit HSV (H in 0…179). */

import { kernelMemory, pixelKernels, TABLES } from '../data/pixel-kernels.ts';

/** rint(255 * 4096 / i) and rint(180 * 4096 / (6 i)); 0 at 0. No quotient lies half-way, so Math.round is rint. */
const saturationDivisor = Int32Array.from({ length: 256 }, (_, i) =>
  i === 0 ? 0 : Math.round((255 * 4096) / i),
);
const hueDivisor = Int32Array.from({ length: 256 }, (_, i) =>
  i === 0 ? 0 : Math.round((180 * 4096) / (6 * i)),
);

/** RGB to HSV: V = max, S and H by 12-bit tables. Exact against OpenCV's 8-bit BGR2HSV. */
export function rgbToHsv(r: number, g: number, b: number): readonly [number, number, number] {
  const v = Math.max(r, g, b);
  const d = v - Math.min(r, g, b);
  const s = (d * (saturationDivisor[v] ?? 0) + 2048) >> 12;
  const arc = v === r ? g - b : v === g ? b - r + 2 * d : r - g + 4 * d;
  const h = (arc * (hueDivisor[d] ?? 0) + 2048) >> 12;
  return [h < 0 ? h + 180 : h, s, v];
}

/** The look-up tables of the gains: v * gain, hue modulo 180, the others clipped to 255; fractions dropped. */
export function gainTables(
  gains: readonly [number, number, number],
): readonly [Uint8Array, Uint8Array, Uint8Array] {
  const clipped = (gain: number): Uint8Array =>
    Uint8Array.from({ length: 256 }, (_, v) => Math.trunc(Math.min(255, Math.max(0, v * gain))));
  const hue = Uint8Array.from({ length: 256 }, (_, v) => Math.trunc((v * gains[0]) % 180));
  return [hue, clipped(gains[1]), clipped(gains[2])];
}

const SCALE = Math.fround(1 / 255);
const SECTORS = Math.fround(6 / 180);

/** HSV to RGB's constants of each hue 0…179: its sector 0…5, the place in it and the rest to 1, float32. */
const sectorOf = new Uint8Array(180);
const along = new Float32Array(180);
const rest = new Float32Array(180);
for (let h = 0; h < 180; h++) {
  const position = Math.fround(h * SECTORS);
  sectorOf[h] = Math.floor(position) % 6;
  along[h] = position - Math.floor(position);
  rest[h] = 1 - (along[h] ?? 0);
}
const unit = Float32Array.from({ length: 256 }, (_, i) => Math.fround(i * SCALE));

/** v (1 - s a) * 255 in float32 with the inner product fused, fraction dropped: OpenCV's vector code. */
const shade = (v: number, s: number, a: number): number =>
  Math.trunc(Math.fround(Math.fround(v * Math.fround(1 - s * a)) * 255));

const write = (out: Uint8Array, o: number, r: number, g: number, b: number): void => {
  out[o] = r;
  out[o + 1] = g;
  out[o + 2] = b;
};

/** Writes the RGB of an 8-bit HSV (h in 0…179) to out[o … o+2]. Exact against OpenCV's 8-bit HSV2BGR, vector code. */
export function hsvToRgb(h: number, saturation: number, value: number, out: Uint8Array, o: number): void {
  const s = unit[saturation] ?? 0;
  const v = unit[value] ?? 0;
  const full = Math.trunc(Math.fround(v * 255));
  const low = shade(v, s, 1);
  const falling = shade(v, s, along[h] ?? 0);
  const rising = shade(v, s, rest[h] ?? 0);
  switch (sectorOf[h]) {
    case 0:
      write(out, o, full, rising, low);
      break;
    case 1:
      write(out, o, falling, full, low);
      break;
    case 2:
      write(out, o, low, full, rising);
      break;
    case 3:
      write(out, o, low, falling, full);
      break;
    case 4:
      write(out, o, rising, low, full);
      break;
    default:
      write(out, o, full, low, falling);
  }
}

/** The kernel's tables of both conversions. */
function fillTables(buffer: ArrayBuffer): void {
  new Int32Array(buffer, TABLES.hsvSaturation, 256).set(saturationDivisor);
  new Int32Array(buffer, TABLES.hsvHue, 256).set(hueDivisor);
  new Uint8Array(buffer, TABLES.sectorOf, 180).set(sectorOf);
  new Float32Array(buffer, TABLES.units, 256).set(unit);
  // Bytes 0, 4, 8 and 12 hold full, low, falling and rising; RGB of each sector as `hsvToRgb` has it.
  const orders = [
    [0, 12, 4],
    [8, 0, 4],
    [4, 0, 12],
    [4, 8, 0],
    [12, 4, 0],
    [0, 4, 8],
  ];
  const sectors = new Uint8Array(buffer, TABLES.sectors, 6 * 16).fill(255);
  orders.forEach((order, sector) => sectors.set(order, sector * 16));
  const shades = new Float32Array(buffer, TABLES.shades, 180 * 256 * 4);
  for (let h = 0, o = 0; h < 180; h++) {
    for (let saturation = 0; saturation < 256; saturation++, o += 4) {
      const s = unit[saturation] ?? 0;
      shades[o] = 1;
      shades[o + 1] = 1 - s;
      shades[o + 2] = 1 - s * (along[h] ?? 0);
      shades[o + 3] = 1 - s * (rest[h] ?? 0);
    }
  }
}
let filled = false;

/**
 * Applies the gains (of hue, saturation, value; 1 = unchanged) in place to `pixels`, [n, 3] RGB. Both conversions
 * equal OpenCV 4.6's vector code for every one of their inputs; even unit gains are lossy, as there.
 * `memoryOf` finds room for the kernel; without room the plain loops give the same bytes.
 */
export function applyHsvGain(
  pixels: Uint8Array,
  gains: readonly [number, number, number],
  memoryOf = kernelMemory,
): void {
  const tables = gainTables(gains);
  const memory = memoryOf([pixels.length]);
  if (memory !== undefined) {
    const { at, buffer } = memory;
    const [place = 0] = at;
    if (!filled) fillTables(buffer);
    filled = true;
    tables.forEach((table, i) => new Uint8Array(buffer, TABLES.gains + 256 * i, 256).set(table));
    new Uint8Array(buffer, place, pixels.length).set(pixels);
    pixelKernels().gainPixels(place, Math.floor(pixels.length / 3));
    pixels.set(new Uint8Array(buffer, place, pixels.length));
    return;
  }
  gainPlain(pixels, tables);
}

/** The same in plain loops. */
function gainPlain(
  pixels: Uint8Array,
  [hueTable, saturationTable, valueTable]: ReturnType<typeof gainTables>,
): void {
  for (let o = 0; o + 2 < pixels.length; o += 3) {
    const r = pixels[o] ?? 0;
    const g = pixels[o + 1] ?? 0;
    const b = pixels[o + 2] ?? 0;
    // rgbToHsv in line: an array a pixel costs more than the arithmetic.
    const v = r > g ? (r > b ? r : b) : g > b ? g : b;
    const d = v - (r < g ? (r < b ? r : b) : g < b ? g : b);
    const s = (d * (saturationDivisor[v] ?? 0) + 2048) >> 12;
    const arc = v === r ? g - b : v === g ? b - r + 2 * d : r - g + 4 * d;
    const h = (arc * (hueDivisor[d] ?? 0) + 2048) >> 12;
    const hue = hueTable[h < 0 ? h + 180 : h] ?? 0;
    hsvToRgb(hue, saturationTable[s] ?? 0, valueTable[v] ?? 0, pixels, o);
  }
}

/** Projective warp of 8-bit RGB in OpenCV's arithmetic. */
import { kernelMemory, pixelKernels } from '../data/pixel-kernels.ts';
import { pixelsFor, type PixelSize, type RgbImage } from '../data/rgb-image.ts';
import type { Matrix3 } from '../data/view.ts';
import { roundEven, sampleRow } from './bilinear-row.ts';
import { invertProjective } from './matrix3.ts';

const INT_MAX = 0x7fffffff;

const fixedPoint = (value: number): number => roundEven(Math.max(-INT_MAX - 1, Math.min(INT_MAX, value)));

/** Columns of the tiles in which OpenCV walks the output: where they begin decides how sums are rounded. */
const tileWidth = ({ width, height }: PixelSize): number =>
  Math.min(Math.floor(1024 / Math.min(16, height)), width);

/**
 * Warps `image` by the forward matrix `m` (source to output) to `size`, bilinear, border 114. With n the inverse, the
 * source position is (n0 x + n1 y + n2, n3 x + n4 y + n5) / w, w = n6 x + n7 y + n8, in float64, rounded to 1/32
 * pixel (ties to even); where w is 0 the position is 0. Sums run from the first column of each tile of 64.
 * Writes into `into` when given (size.width * size.height * 3 bytes, not overlapping the source).
 * `memoryOf` finds room for the kernel; without room the plain loops give the same bytes.
 */
export function warpPerspective(
  image: RgbImage,
  m: Matrix3,
  size: PixelSize,
  into?: Uint8Array,
  memoryOf = kernelMemory,
): RgbImage {
  const { width, height } = size;
  const out = pixelsFor(size, into, 'warpPerspective');
  const n = invertProjective(m);
  const tile = tileWidth(size);
  const memory = memoryOf([image.pixels.length, tile * 4, tile * 4, out.length]);
  const { at: [source = 0, atX = 0, atY = 0, result = 0] = [], buffer } = memory ?? {};
  if (buffer !== undefined) new Uint8Array(buffer, source, image.pixels.length).set(image.pixels);
  const X = buffer === undefined ? new Int32Array(tile) : new Int32Array(buffer, atX, tile);
  const Y = buffer === undefined ? new Int32Array(tile) : new Int32Array(buffer, atY, tile);
  for (let y = 0; y < height; y++) {
    for (let start = 0; start < width; start += tile) {
      const X0 = n[0] * start + n[1] * y + n[2];
      const Y0 = n[3] * start + n[4] * y + n[5];
      const W0 = n[6] * start + n[7] * y + n[8];
      const columns = Math.min(tile, width - start);
      for (let x = 0; x < columns; x++) {
        const w = W0 + n[6] * x;
        const k = w === 0 ? 0 : 32 / w;
        X[x] = fixedPoint((X0 + n[0] * x) * k);
        Y[x] = fixedPoint((Y0 + n[3] * x) * k);
      }
      const to = (y * width + start) * 3;
      if (buffer === undefined) sampleRow(image, X, Y, columns, out, to);
      else pixelKernels().sampleRow(source, image.width, image.height, atX, atY, columns, result + to);
    }
  }
  if (buffer !== undefined) out.set(new Uint8Array(buffer, result, out.length));
  return { width, height, pixels: out };
}

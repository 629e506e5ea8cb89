/** Affine warp of 8-bit RGB in OpenCV's fixed-point arithmetic, bit for bit. */
import { kernelMemory, pixelKernels } from '../data/pixel-kernels.ts';
import { pixelsFor, type PixelSize, type RgbImage } from '../data/rgb-image.ts';
import type { Matrix3 } from '../data/view.ts';
import { roundEven, sampleRow } from './bilinear-row.ts';
import { invertAffine } from './matrix3.ts';

/**
 * Warps `image` by the forward matrix `m` (source to output; its last row is taken as 0, 0, 1) to `size`, bilinear,
 * border 114. With (a b c; d e f) the inverse, the source position in 1/1024 pixels is
 * rint(1024 (b y + c)) + 16 + rint(1024 a x), of which the upper bits down to 1/32 pixel count; vertically alike.
 * Writes into `into` when given (size.width * size.height * 3 bytes, not overlapping the source).
 * `memoryOf` finds room for the kernel; without room the plain loops give the same bytes.
 */
export function warpAffine(
  image: RgbImage,
  m: Matrix3,
  size: PixelSize,
  into?: Uint8Array,
  memoryOf = kernelMemory,
): RgbImage {
  const { width, height } = size;
  const out = pixelsFor(size, into, 'warpAffine');
  const [a, b, c, d, e, f] = invertAffine(m);
  const stepX = new Int32Array(width);
  const stepY = new Int32Array(width);
  for (let x = 0; x < width; x++) {
    stepX[x] = roundEven(a * x * 1024);
    stepY[x] = roundEven(d * x * 1024);
  }
  const startOf = (y: number): readonly [number, number] => [
    (roundEven((b * y + c) * 1024) + 16) | 0,
    (roundEven((e * y + f) * 1024) + 16) | 0,
  ];
  const memory = memoryOf([image.pixels.length, width * 4, width * 4, out.length]);
  if (memory !== undefined) {
    const { at, buffer } = memory;
    const [source = 0, stepsX = 0, stepsY = 0, result = 0] = at;
    new Uint8Array(buffer, source, image.pixels.length).set(image.pixels);
    new Int32Array(buffer, stepsX, width).set(stepX);
    new Int32Array(buffer, stepsY, width).set(stepY);
    const { affineRow } = pixelKernels();
    for (let y = 0; y < height; y++) {
      const [startX, startY] = startOf(y);
      const to = result + y * width * 3;
      affineRow(source, image.width, image.height, startX, startY, stepsX, stepsY, width, to);
    }
    out.set(new Uint8Array(buffer, result, out.length));
    return { width, height, pixels: out };
  }
  const X = new Int32Array(width);
  const Y = new Int32Array(width);
  for (let y = 0; y < height; y++) {
    const [startX, startY] = startOf(y);
    for (let x = 0; x < width; x++) {
      X[x] = (startX + (stepX[x] ?? 0)) >> 5;
      Y[x] = (startY + (stepY[x] ?? 0)) >> 5;
    }
    sampleRow(image, X, Y, width, out, y * width * 3);
  }
  return { width, height, pixels: out };
}

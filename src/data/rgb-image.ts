/** A picture in memory, as decoding makes it and every resize and warp takes it. */
import { SoftshardError } from '../errors.ts';

/** 8-bit RGB pixels, row by row: `pixels` has height * width * 3 values, [height, width, 3]. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** Width and height in pixels. */
export interface PixelSize {
  readonly width: number;
  readonly height: number;
}

/** Throws E_INTERNAL unless `pixels` holds exactly the `width * height * 3` values of its size, all >= 1. */
export function checkRgbImage(image: RgbImage, where: string): void {
  const { width, height, pixels } = image;
  if (width >= 1 && height >= 1 && pixels.length === width * height * 3) return;
  throw new SoftshardError('E_INTERNAL', {
    message: 'An image whose pixels do not match its size.',
    expected: `${width} x ${height} x 3 values`,
    found: `${pixels.length} values`,
    where,
  });
}

/**
 * Where an operation puts its result: `into` when it has exactly the right length, else a new array.
 * Throws E_INTERNAL on a wrong length.
 */
export function pixelsFor(size: PixelSize, into: Uint8Array | undefined, where: string): Uint8Array {
  const length = size.width * size.height * 3;
  if (into === undefined) return new Uint8Array(length);
  if (into.length === length) return into;
  throw new SoftshardError('E_INTERNAL', {
    message: 'A pixel buffer of the wrong length.',
    expected: `${length} bytes (${size.width} x ${size.height} x 3)`,
    found: `${into.length} bytes`,
    where,
  });
}

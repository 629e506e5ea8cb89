/** Reads a sample's picture for a view: decoded, checked, resized to the size it is loaded at. */
import { decodeImage } from '../data/decode-image.ts';
import { resizeBilinear } from '../data/resize-bilinear.ts';
import type { PixelSize, RgbImage } from '../data/rgb-image.ts';
import type { Sample } from '../data/sample.ts';
import { SoftshardError } from '../errors.ts';

/** What a thread needs of a sample. */
export type DecodeSource = Pick<Sample, 'index' | 'file' | 'digest' | 'width' | 'height' | 'labels'>;

/**
 * Decodes the file at its size on disk (after EXIF orientation). Rejects with E_IMAGE or E_FILE when it cannot be
 * read, E_IMAGE when its size is not the data set's.
 */
export async function decodeSource(source: DecodeSource): Promise<RgbImage> {
  const image = await decodeImage(source.file);
  if (image.width === source.width && image.height === source.height) return image;
  throw new SoftshardError('E_IMAGE', {
    message: 'An image has another size than when the data set was read.',
    where: source.file,
    expected: `${source.width} x ${source.height}`,
    found: `${image.width} x ${image.height}`,
    remedy: 'Leave the images alone while a step runs, or start it again.',
  });
}

/** The image at `size`, resized bilinearly, in memory that threads share. */
export function toSharedMemory(image: RgbImage, size: PixelSize): SharedArrayBuffer {
  const pixels = new SharedArrayBuffer(size.width * size.height * 3);
  resizeBilinear(image, size, new Uint8Array(pixels));
  return pixels;
}

/** Which files count as images: by extension in a listing, by content when opened. */
import { extname } from 'node:path';

/** Lower-case extensions that a listing keeps: those of YOLOv5 v7.0, and AVIF and GIF (first frame). */
export const IMAGE_EXTENSIONS: ReadonlySet<string> = new Set([
  'avif',
  'bmp',
  'dng',
  'gif',
  'jpeg',
  'jpg',
  'mpo',
  'pfm',
  'png',
  'tif',
  'tiff',
  'webp',
]);

/** Formats that can be decoded, whatever the file is called. BMP and PFM are listed and then refused by name. */
export const DECODABLE_FORMATS: ReadonlySet<string> = new Set(['avif', 'gif', 'jpeg', 'png', 'tiff', 'webp']);

/** Whether a file of this name would be listed as an image. */
export const hasImageExtension = (path: string): boolean =>
  IMAGE_EXTENSIONS.has(extname(path).slice(1).toLowerCase());

const endsWith = (bytes: Uint8Array, tail: readonly number[]): boolean =>
  bytes.length >= tail.length && tail.every((value, i) => bytes[bytes.length - tail.length + i] === value);

/**
 * Whether the file's last bytes (or its own record of its length) say that nothing is cut off. `false` means only
 * that decoding must decide: AVIF, GIF and TIFF have no such mark that is worth trusting.
 */
export function endsAsItShould(bytes: Uint8Array, format: string): boolean {
  if (format === 'jpeg') return endsWith(bytes, [0xff, 0xd9]);
  if (format === 'png') return endsWith(bytes, [0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82]);
  if (format === 'webp' && bytes.length >= 12) {
    const riffBytes = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
    return riffBytes + 8 <= bytes.length;
  }
  return false;
}

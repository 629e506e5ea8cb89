/** What an image says of itself before it is decoded. */
import sharp, { type Metadata, type Sharp } from 'sharp';
import { DECODABLE_FORMATS } from './image-format.ts';
import { imageFailure, MAX_IMAGE_PIXELS } from './image-bytes.ts';

export interface ImageHeader {
  /** Real format, from the content: avif, gif, jpeg, png, tiff or webp. */
  readonly format: string;
  /** Size in pixels after EXIF orientation (of the first frame). */
  readonly width: number;
  readonly height: number;
  /** Whether the pixels are cyan, magenta, yellow and black. */
  readonly cmyk: boolean;
}

/**
 * A reader over `bytes` for the first frame, oriented by EXIF. Embedded colour profiles are ignored, as OpenCV does:
 * applying them would show a detector other pixels than those it was trained on. Throws E_IMAGE without any bytes.
 */
export function openImage(
  bytes: Uint8Array,
  name: string,
  maxPixels: number,
  failOn: 'warning' | 'none' = 'warning',
): Sharp {
  if (bytes.length === 0) throw imageFailure(name, 'an empty file');
  return sharp(bytes, { ignoreIcc: true, autoOrient: true, limitInputPixels: maxPixels, failOn, pages: 1 });
}

const formatOf = (metadata: Metadata): string =>
  metadata.format === 'heif' && metadata.compression === 'av1' ? 'avif' : metadata.format;

/** Reads the header of `image`. Throws E_IMAGE naming `name` when there is none or the format is not decodable. */
export async function headerOf(image: Sharp, name: string): Promise<ImageHeader> {
  let metadata: Metadata;
  try {
    metadata = await image.metadata();
  } catch (error) {
    throw imageFailure(name, error);
  }
  const format = formatOf(metadata);
  if (!DECODABLE_FORMATS.has(format)) {
    throw imageFailure(name, `the format ${format}`, 'Convert the file to PNG or JPEG, or leave it out.');
  }
  const { width, height } = metadata.autoOrient;
  return { format, width, height, cmyk: metadata.space === 'cmyk' };
}

/**
 * Reads format and oriented size from the bytes of an image file, without decoding pixels. `name` appears in errors.
 * Throws E_IMAGE when the header is damaged, the format unknown, or the image has more than `maxPixels` pixels.
 */
export async function readImageHeader(
  bytes: Uint8Array,
  name: string,
  maxPixels: number = MAX_IMAGE_PIXELS,
): Promise<ImageHeader> {
  return headerOf(openImage(bytes, name, maxPixels), name);
}

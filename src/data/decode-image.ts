/** From an image file to 8-bit RGB pixels, the same that OpenCV's `imread` gives (in RGB order). */
import { SoftshardError } from '../errors.ts';
import { imageFailure, MAX_IMAGE_PIXELS, readImageBytes } from './image-bytes.ts';
import { headerOf, openImage } from './image-header.ts';
import { completeJpeg } from './jpeg-end.ts';
import type { RgbImage } from './rgb-image.ts';

export interface DecodeOptions {
  /** What errors call an image given as bytes; "(bytes)" by default. A file is called by its path. */
  readonly name?: string;
  /** Most pixels an image may have; 67,108,864 (64 MP) by default. */
  readonly maxPixels?: number;
}

/**
 * Inverted-ink CMYK to RGB, as OpenCV converts it: each channel is the white left by its ink, scaled by the white
 * left by black, v = k - ((255 - c) * k >> 8) with c, k counted from no light (0) to full light (255).
 */
function cmykToRgb(cmyk: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((cmyk.length / 4) * 3);
  for (let i = 0, o = 0; i < cmyk.length; i += 4, o += 3) {
    const light = 255 - (cmyk[i + 3] ?? 0);
    for (let c = 0; c < 3; c++) rgb[o + c] = light - (((cmyk[i + c] ?? 0) * light) >> 8);
  }
  return rgb;
}

async function decodeBytes(
  bytes: Uint8Array,
  name: string,
  maxPixels: number,
  failOn: 'warning' | 'none',
): Promise<RgbImage> {
  const image = openImage(bytes, name, maxPixels, failOn);
  const { cmyk } = await headerOf(image, name);
  const converted = cmyk
    ? image.pipelineColourspace('cmyk').toColourspace('cmyk')
    : image.toColourspace('srgb').removeAlpha();
  const { data, info } = await converted.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  const channels = cmyk ? 4 : 3;
  if (info.channels !== channels || data.length !== info.width * info.height * channels) {
    throw new Error(`${info.channels} channels after conversion, not ${channels}`);
  }
  const pixels = new Uint8Array(data.buffer, data.byteOffset, data.length);
  return { width: info.width, height: info.height, pixels: cmyk ? cmykToRgb(pixels) : pixels };
}

/** Decodes a JPEG that lacks nothing but its end marker; `undefined` when more is missing or it is no such file. */
async function decodeWithoutEnd(
  bytes: Uint8Array,
  name: string,
  maxPixels: number,
): Promise<RgbImage | undefined> {
  const completed = completeJpeg(bytes);
  if (completed === undefined) return undefined;
  try {
    const plain = await decodeBytes(completed.plain, name, maxPixels, 'warning');
    const filled = await decodeBytes(completed.filled, name, maxPixels, 'none');
    return Buffer.compare(plain.pixels, filled.pixels) === 0 ? plain : undefined;
  } catch {
    return undefined; // The error of the first attempt tells more.
  }
}

/**
 * Decodes a file (path) or its bytes to 8-bit RGB [height, width, 3].
 *
 * EXIF orientation is applied; embedded colour profiles are ignored; grey is replicated; alpha is dropped, not
 * blended; 16 bits are cut to 8; CMYK is converted; of several frames or pages the first is taken. A JPEG without its
 * end marker decodes if its picture is complete; bytes after the marker are ignored.
 *
 * Throws E_IMAGE (missing, truncated, damaged, unknown format, more than `maxPixels` pixels), E_FILE when the file is
 * there but cannot be read. Runs on libuv's thread pool.
 */
export async function decodeImage(
  source: string | Uint8Array,
  options: DecodeOptions = {},
): Promise<RgbImage> {
  const { maxPixels = MAX_IMAGE_PIXELS } = options;
  const name = typeof source === 'string' ? source : (options.name ?? '(bytes)');
  const bytes = typeof source === 'string' ? await readImageBytes(source) : source;
  try {
    return await decodeBytes(bytes, name, maxPixels, 'warning');
  } catch (error) {
    const complete = await decodeWithoutEnd(bytes, name, maxPixels);
    if (complete !== undefined) return complete;
    throw error instanceof SoftshardError ? error : imageFailure(name, error);
  }
}

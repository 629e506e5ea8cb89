/** Decoded images in memory that all decoding threads share, bounded in bytes. */
import type { PixelSize, RgbImage } from '../data/rgb-image.ts';

/** A sample's pixels after the load-time resize, as any thread reads them: uint8 RGB, [height, width, 3]. */
export interface LoadedImage extends PixelSize {
  readonly sample: number;
  readonly pixels: SharedArrayBuffer;
}

export interface ImageCache {
  /** The sample's image at that size, if it is held. */
  get(sample: number, size: PixelSize): LoadedImage | undefined;
  /** Holds an image, unless it is held already or does not fit. */
  put(image: LoadedImage): void;
  /** Bytes that still fit. */
  readonly room: () => number;
}

const keyOf = (sample: number, { width, height }: PixelSize): string => `${sample} ${width} ${height}`;

/** The pixels of a held image. */
export const sharedPixels = ({ width, height, pixels }: LoadedImage): RgbImage => ({
  width,
  height,
  pixels: new Uint8Array(pixels),
});

/**
 * Holds at most `limitBytes` of pixels; 0 holds nothing. What is held stays: an epoch asks for every image once, so
 * that dropping the oldest for the newest would find nothing again where not all of them fit.
 */
export function createImageCache(limitBytes: number): ImageCache {
  const held = new Map<string, LoadedImage>();
  let bytes = 0;
  return {
    get: (sample, size) => held.get(keyOf(sample, size)),
    put(image) {
      const key = keyOf(image.sample, image);
      if (held.has(key) || bytes + image.pixels.byteLength > limitBytes) return;
      held.set(key, image);
      bytes += image.pixels.byteLength;
    },
    room: () => limitBytes - bytes,
  };
}

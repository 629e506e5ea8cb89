/** Decoded images of one thread, least recently used dropped first, bounded in bytes. */
import type { RgbImage } from '../data/rgb-image.ts';

export interface ImageCache {
  /** The image of that file, decoded by `load` when it is not held. A failing load leaves nothing behind. */
  get(file: string, load: () => Promise<RgbImage>): Promise<RgbImage>;
  /** Bytes held now, never more than the bound. */
  readonly bytes: () => number;
}

/** Holds at most `limitBytes` of pixels; an image larger than that is passed through and not kept. 0 keeps nothing. */
export function createImageCache(limitBytes: number): ImageCache {
  // A Map iterates in order of insertion: what is used is inserted anew, so the first is the oldest.
  const held = new Map<string, RgbImage>();
  let bytes = 0;
  const keep = (file: string, image: RgbImage): void => {
    if (image.pixels.length > limitBytes || held.has(file)) return;
    held.set(file, image);
    bytes += image.pixels.length;
    for (const [oldest, { pixels }] of held) {
      if (bytes <= limitBytes) break;
      held.delete(oldest);
      bytes -= pixels.length;
    }
  };
  return {
    async get(file, load) {
      const found = held.get(file);
      if (found !== undefined) {
        held.delete(file);
        held.set(file, found);
        return found;
      }
      const image = await load();
      keep(file, image);
      return image;
    },
    bytes: () => bytes,
  };
}

/** One view to make, as plain data that crosses threads, and the function that makes it on any thread. */
import { SoftshardError } from '../errors.ts';
import type { PixelSize, RgbImage } from '../data/rgb-image.ts';
import type { ViewLabel, ViewRecord } from '../data/view.ts';
import { applyView } from './apply-view.ts';
import { createImageCache, sharedPixels, type LoadedImage } from './image-cache.ts';
import { heldSize, holdImage, readHeldImage, type ImageFolder } from './image-folder.ts';
import { decodeSource, toSharedMemory, type DecodeSource } from './load-image.ts';
import { pixelDigest } from './pixel-digest.ts';
import { createScratch } from './scratch.ts';

export interface DecodeJob {
  readonly record: ViewRecord;
  /** Every sample that the record shows, once. */
  readonly sources: readonly DecodeSource[];
  /** Images of theirs that need not be decoded. */
  readonly loaded: readonly LoadedImage[];
  /** Bytes of further images that may be kept. */
  readonly room: number;
  /** Where images lie on disk, and may be written; undefined for nowhere. */
  readonly folder?: ImageFolder | undefined;
  /** Where the pixels go: at least height * width * 3 bytes, shared by the threads. */
  readonly slot: SharedArrayBuffer;
}

export interface DecodeResult {
  readonly labels: readonly ViewLabel[] | undefined;
  readonly pixelDigest: string;
  /** Images that were decoded for this view and may be kept. */
  readonly decoded: readonly LoadedImage[];
  /** Bytes written to the folder of images. */
  readonly stored: number;
}

export type DecodeRunner = (job: DecodeJob) => Promise<DecodeResult>;

/** A sample at the size that a view loads it at. */
export interface ShownImage extends PixelSize {
  readonly sample: number;
}

/** The images that a record shows, each sample and size once, in order of first use. */
export function imagesOf(record: ViewRecord): readonly ShownImage[] {
  const { composition, mixup } = record;
  const shown = new Map<string, ShownImage>();
  for (const { sample, w, h } of [...composition.images, ...(mixup?.composition.images ?? [])]) {
    shown.set(`${sample} ${w} ${h}`, { sample, width: w, height: h });
  }
  return [...shown.values()];
}

/**
 * Makes a runner that takes jobs one after another (a second one waits) and uses its buffers again. Rejects with
 * E_IMAGE or E_FILE when an image cannot be read, E_INTERNAL when a source is missing.
 */
export function createDecodeRunner(): DecodeRunner {
  const scratch = createScratch();
  const run = async ({ record, sources, loaded, room, folder, slot }: DecodeJob): Promise<DecodeResult> => {
    const byIndex = new Map(sources.map((source) => [source.index, source]));
    const sourceOf = (sample: number): DecodeSource => {
      const source = byIndex.get(sample);
      if (source !== undefined) return source;
      throw new SoftshardError('E_INTERNAL', { message: `Sample ${sample} was not sent with its view.` });
    };
    const held = createImageCache(Number.POSITIVE_INFINITY);
    for (const image of loaded) held.put(image);
    const decoded: LoadedImage[] = [];
    let left = room;
    let [taken, stored] = [0, 0];
    const fromDisk = async (source: DecodeSource, size: PixelSize): Promise<RgbImage> => {
      if (folder === undefined) return decodeSource(source);
      const known = await readHeldImage(folder.folder, source.digest, size);
      if (known !== undefined) return { ...size, pixels: new Uint8Array(known) };
      const image = await decodeSource(source);
      const bytes = heldSize(size);
      if (taken + bytes > folder.room) return image;
      // Images of one view are loaded at once: take the room before waiting.
      taken += bytes;
      const pixels = toSharedMemory(image, size);
      const written = await holdImage(folder.folder, source.digest, size, pixels);
      stored += written;
      return { ...size, pixels: new Uint8Array(pixels) };
    };
    const imageOf = async (sample: number, size: PixelSize): Promise<RgbImage> => {
      const known = held.get(sample, size);
      if (known !== undefined) return sharedPixels(known);
      const image = await fromDisk(sourceOf(sample), size);
      const bytes = size.width * size.height * 3;
      if (bytes > left) return image;
      left -= bytes;
      const kept = { sample, width: size.width, height: size.height, pixels: toSharedMemory(image, size) };
      held.put(kept);
      decoded.push(kept);
      return sharedPixels(kept);
    };
    const into = new Uint8Array(slot, 0, record.width * record.height * 3);
    const { labels } = await applyView(record, imageOf, (sample) => sourceOf(sample).labels, {
      into,
      scratch,
    });
    return { labels, pixelDigest: pixelDigest(into), decoded, stored };
  };
  let last: Promise<unknown> = Promise.resolve();
  return (job) => {
    const result = last.then(() => run(job));
    last = result.catch(() => undefined);
    return result;
  };
}

/** Turns view records into pixels and labels, on worker threads or in this one, into a ring of shared buffers. */
import { SoftshardError } from '../errors.ts';
import type { Dataset } from '../data/sample.ts';
import type { DecodedView, ViewRecord } from '../data/view.ts';
import { createDecodeRunner, imagesOf } from './decode-job.ts';
import { closed, startDecodeThreads, type DecodeThreads } from './decode-threads.ts';
import { createImageCache } from './image-cache.ts';
import type { PixelSize } from '../data/rgb-image.ts';
import { heldSize, type ImageFolder } from './image-folder.ts';
import type { DecodeSource } from './load-image.ts';
import { aborted, createSlotPool } from './slot-pool.ts';

export interface ViewDecoderOptions {
  readonly dataset: Pick<Dataset, 'samples'>;
  /** Threads; 0 decodes in this thread. The pixels are the same for any number. */
  readonly workers: number;
  /** Views alive at once, >= 1: decoded and not released, or being decoded. More wait. */
  readonly slots: number;
  /** Bytes of the largest view: height * width * 3. */
  readonly viewBytes: number;
  /**
   * Bytes of decoded images that are kept, resized as views load them, for all threads together; 64 MiB by default, 0
   * for none. The pixels of views are the same for any number.
   */
  readonly imageCacheBytes?: number;
  /** Where decoded images are kept on disk; nowhere by default. */
  readonly imageFolder?: ImageFolder;
}

/** A view whose pixels lie in a slot: valid until released, after which they are overwritten. */
export interface SlottedView extends DecodedView {
  /** Frees the slot. A second call does nothing. */
  release(): void;
}

export interface ViewDecoder {
  /**
   * Waits for a slot, first come first served, then makes the view. Rejects with E_IMAGE or E_FILE when an image
   * cannot be read (code, file and remedy survive the thread), E_ABORTED when the signal fires or the decoder closes,
   * E_INTERNAL when a thread dies or the record does not fit.
   */
  decode(record: ViewRecord, signal?: AbortSignal): Promise<SlottedView>;
  /** Ends the threads; whatever is not done rejects with E_ABORTED. Slots in use stay readable. */
  close(): Promise<void>;
}

/** The engine room of workers = 0: the same runner, in this thread. */
const inThisThread = (): DecodeThreads => ({
  run: createDecodeRunner(),
  close: () => Promise.resolve(),
});

function checkOptions({ workers, slots, viewBytes }: ViewDecoderOptions): void {
  for (const [name, value, least] of [
    ['workers', workers, 0],
    ['slots', slots, 1],
    ['viewBytes', viewBytes, 1],
  ] as const) {
    if (Number.isInteger(value) && value >= least) continue;
    throw new SoftshardError('E_USAGE', {
      message: `The view decoder's number of ${name} cannot be used.`,
      expected: `an integer >= ${least}`,
      found: String(value),
    });
  }
}

/** Starts a decoder; close it, or its threads keep the process alive. Throws E_USAGE on bad counts. */
export function createViewDecoder(options: ViewDecoderOptions): ViewDecoder {
  checkOptions(options);
  const { dataset, workers, viewBytes, imageCacheBytes = 64 * 2 ** 20, imageFolder } = options;
  const slots = createSlotPool(options.slots, viewBytes);
  const images = createImageCache(imageCacheBytes);
  const threads = workers === 0 ? inThisThread() : startDecodeThreads(workers);
  let open = true;
  // Bytes on disk that this decoder has written, or lent to views in work.
  let taken = 0;
  const lend = (shown: readonly PixelSize[]): ImageFolder | undefined => {
    if (imageFolder === undefined) return undefined;
    const most = shown.reduce((bytes, size) => bytes + heldSize(size), 0);
    const room = Math.max(0, Math.min(most, imageFolder.room - taken));
    taken += room;
    return { ...imageFolder, room };
  };

  const sourceOf = (sample: number): DecodeSource => {
    const found = dataset.samples[sample];
    if (found === undefined) throw unfit('a sample that the data set does not hold', String(sample));
    const { index, file, digest, width, height, labels } = found;
    return { index, file, digest, width, height, labels };
  };

  return {
    async decode(record, signal) {
      const bytes = record.width * record.height * 3;
      if (bytes > viewBytes) throw unfit(`a view larger than a slot of ${viewBytes} bytes`, `${bytes} bytes`);
      const shown = imagesOf(record);
      const sources = [...new Set(shown.map(({ sample }) => sample))].map(sourceOf);
      const slot = await slots.acquire(signal);
      let held = true;
      const release = (): void => {
        if (held) slots.release(slot);
        held = false;
      };
      // An aborted view keeps its slot until its thread is done writing there.
      const loaded = shown.flatMap((image) => images.get(image.sample, image) ?? []);
      const folder = lend(shown);
      const work = threads.run({ record, sources, loaded, room: images.room(), folder, slot });
      // What a view that fails has written is not known: all that it was lent stays taken.
      void work.then(
        ({ stored }) => {
          taken -= (folder?.room ?? 0) - stored;
        },
        () => undefined,
      );
      let onAbort: (() => void) | undefined;
      const cancelled = new Promise<never>((_, reject) => {
        if (signal === undefined) return;
        onAbort = (): void => {
          reject(aborted(signal));
        };
        if (signal.aborted) onAbort();
        else signal.addEventListener('abort', onAbort, { once: true });
      });
      try {
        const { labels, pixelDigest, decoded } = await Promise.race([work, cancelled]);
        if (!open) throw closed();
        for (const image of decoded) images.put(image);
        return { record, pixels: new Uint8Array(slot, 0, bytes), labels, pixelDigest, release };
      } catch (error) {
        void work.then(release, release);
        throw error;
      } finally {
        if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
      }
    },
    async close() {
      open = false;
      slots.close(closed());
      await threads.close();
    },
  };
}

const unfit = (what: string, found: string): SoftshardError =>
  new SoftshardError('E_INTERNAL', { message: `A view record asks for ${what}.`, found });

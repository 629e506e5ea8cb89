/** One view to make, as plain data that crosses threads, and the function that makes it on any thread. */
import { SoftshardError } from '../errors.ts';
import { decodeImage } from '../data/decode-image.ts';
import type { RgbImage } from '../data/rgb-image.ts';
import type { Sample } from '../data/sample.ts';
import type { ViewLabel, ViewRecord } from '../data/view.ts';
import { applyView } from './apply-view.ts';
import { createImageCache } from './image-cache.ts';
import { pixelDigest } from './pixel-digest.ts';
import { createScratch } from './scratch.ts';

/** What a thread needs of a sample. */
export type DecodeSource = Pick<Sample, 'index' | 'file' | 'width' | 'height' | 'labels'>;

export interface DecodeJob {
  readonly record: ViewRecord;
  /** Every sample that the record shows, once. */
  readonly sources: readonly DecodeSource[];
  /** Where the pixels go: at least height * width * 3 bytes, shared by the threads. */
  readonly slot: SharedArrayBuffer;
}

export interface DecodeResult {
  readonly labels: readonly ViewLabel[] | undefined;
  readonly pixelDigest: string;
}

export type DecodeRunner = (job: DecodeJob) => Promise<DecodeResult>;

/** The samples that a record shows, each once, in order of first use. */
export function samplesOf(record: ViewRecord): readonly number[] {
  const compositions = [
    record.composition,
    ...(record.mixup === undefined ? [] : [record.mixup.composition]),
  ];
  return [...new Set(compositions.flatMap(({ images }) => images.map(({ sample }) => sample)))];
}

function checkSize(image: RgbImage, source: DecodeSource): void {
  if (image.width === source.width && image.height === source.height) return;
  throw new SoftshardError('E_IMAGE', {
    message: 'An image has another size than when the data set was read.',
    where: source.file,
    expected: `${source.width} x ${source.height}`,
    found: `${image.width} x ${image.height}`,
    remedy: 'Leave the images alone while a step runs, or start it again.',
  });
}

/**
 * Makes a runner that takes jobs one after another (a second one waits), keeps up to `imageCacheBytes` of decoded
 * images, and uses its buffers again. Rejects with E_IMAGE or E_FILE when an image cannot be read, E_INTERNAL when a
 * source is missing.
 */
export function createDecodeRunner(imageCacheBytes: number): DecodeRunner {
  const cache = createImageCache(imageCacheBytes);
  const scratch = createScratch();
  const run = async ({ record, sources, slot }: DecodeJob): Promise<DecodeResult> => {
    const byIndex = new Map(sources.map((source) => [source.index, source]));
    const sourceOf = (sample: number): DecodeSource => {
      const source = byIndex.get(sample);
      if (source !== undefined) return source;
      throw new SoftshardError('E_INTERNAL', { message: `Sample ${sample} was not sent with its view.` });
    };
    const imageOf = async (sample: number): Promise<RgbImage> => {
      const source = sourceOf(sample);
      const image = await cache.get(source.file, () => decodeImage(source.file));
      checkSize(image, source);
      return image;
    };
    const into = new Uint8Array(slot, 0, record.width * record.height * 3);
    const { labels } = await applyView(record, imageOf, (sample) => sourceOf(sample).labels, {
      into,
      scratch,
    });
    return { labels, pixelDigest: pixelDigest(into) };
  };
  let last: Promise<unknown> = Promise.resolve();
  return (job) => {
    const result = last.then(() => run(job));
    last = result.catch(() => undefined);
    return result;
  };
}

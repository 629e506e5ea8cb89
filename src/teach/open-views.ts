/** The views that a teacher is shown: decoded here, or read from pixel shards. */
import { keptImages, type ImageCacheOptions } from '../augment/image-cache-options.ts';
import { createViewDecoder, type ViewDecoder } from '../augment/view-decoder.ts';
import { decoderVersions } from '../data/decoder-versions.ts';
import { openPixelShards } from './pixel-shards.ts';
import type { PreparedTeaching } from './prepare-teaching.ts';

export interface OpenedViews {
  readonly decoder: Pick<ViewDecoder, 'decode'>;
  /** What decodes the images, or decoded them. */
  readonly versions: ReturnType<typeof decoderVersions>;
  close(): Promise<void>;
}

export interface ViewOptions extends ImageCacheOptions {
  /** Folder of pixel shards to read in place of decoding. */
  readonly from?: string | undefined;
  readonly teachBatch: number;
  /** Decoding threads; 0 decodes in this thread. */
  readonly workers: number;
}

/** What the machine has for decoded images that are kept. */
export interface ViewPlace {
  /** Bytes of free memory. */
  readonly memory: number;
  /** Folder below which they lie on disk. */
  readonly home: string;
  readonly signal: AbortSignal;
}

/** Bytes that a view in work holds: pixels as bytes and floats, answers as floats twice (the batch and its copy) and encoded. */
export const teachingBytes = ({
  prepared: { imageSize },
  planned,
}: Pick<PreparedTeaching, 'prepared' | 'planned'>): number =>
  imageSize * imageSize * 3 * 5 + planned.viewValues * 8 + planned.viewBytes;

/** Opens what the options name. Throws as `openPixelShards` and `createViewDecoder` do. */
export async function openViews(
  { prepared }: Pick<PreparedTeaching, 'prepared'>,
  options: ViewOptions,
  { memory, home, signal }: ViewPlace,
): Promise<OpenedViews> {
  if (options.from !== undefined) {
    const shards = await openPixelShards(options.from, prepared.identity, signal);
    return { ...shards, close: () => Promise.resolve() };
  }
  const { dataset, imageSize } = prepared;
  const { workers, teachBatch } = options;
  const decoder = createViewDecoder({
    ...{ dataset, workers, slots: 2 * (teachBatch + workers), viewBytes: imageSize * imageSize * 3 },
    ...(await keptImages(options, memory, home)),
  });
  return { decoder, versions: decoderVersions(), close: () => decoder.close() };
}

/** What the corpus of old artefacts holds, as plain data: what later versions must still read of it. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dtypeOf, folderStore, openCache, type Blob } from '../../src/cache/index.ts';
import { makePlan } from '../../src/data/plan.ts';
import { readProgress } from '../../src/train/checkpoint.ts';
import { runFiles } from '../../src/train/run-files.ts';
import { readSafetensors } from '../../src/weights/safetensors.ts';

/** Folders of one version of the corpus. */
export const CORPUS_CACHES = ['cache-fp16', 'cache-fp32'] as const;
export const CORPUS_RUN = 'run';

/** One array: its shape, and the sha256 of its values as little-endian numbers. */
export interface ArrayContent {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly sha256: string;
}

export interface ViewContent {
  readonly sample: number;
  readonly view: number;
  readonly input: string;
  readonly record: unknown;
  readonly blobs: Readonly<Record<string, ArrayContent>>;
}

export interface RunContent {
  readonly results: string;
  readonly progress: { readonly epoch: number; readonly iteration: number; readonly finished: boolean };
  /** By file, then by tensor. */
  readonly tensors: Readonly<Record<string, Readonly<Record<string, ArrayContent>>>>;
}

export interface CorpusContent {
  readonly caches: Readonly<Record<string, readonly ViewContent[]>>;
  readonly run: RunContent;
}

const sha256 = ({ buffer, byteOffset, byteLength }: ArrayBufferView): string =>
  createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex');

const blobContent = (blob: Blob): ArrayContent => ({
  dtype: dtypeOf(blob),
  shape: blob.shape,
  sha256: sha256(blob.data),
});

/** Every view of a cache of the corpus, in the plan's order. */
export async function cacheContent(folder: string): Promise<ViewContent[]> {
  const cache = await openCache(folderStore(folder));
  const plan = makePlan(cache.manifest.extent);
  const targets = await cache.readMany(plan.units.flatMap(({ views }) => views));
  return targets.map((target) => ({
    sample: target.sample,
    view: target.view,
    input: target.inputDigest,
    record: target.record,
    blobs: Object.fromEntries([...target.blobs].map(([name, blob]) => [name, blobContent(blob)])),
  }));
}

/** A run of the corpus: its results, and every tensor of its files. */
export async function runContent(folder: string): Promise<RunContent> {
  const files = runFiles(folder);
  const tensors: Record<string, Record<string, ArrayContent>> = {};
  for (const name of ['checkpoint', 'last', 'best'] as const) {
    const { state } = await readSafetensors(files[name]);
    tensors[name] = Object.fromEntries(
      [...state].map(([key, { dtype, shape, data }]) => [key, { dtype, shape, sha256: sha256(data) }]),
    );
  }
  const { epoch, iteration, finished } = await readProgress(files.checkpoint);
  return {
    results: await readFile(files.results, 'utf8'),
    progress: { epoch, iteration, finished },
    tensors,
  };
}

export async function corpusContent(folder: string): Promise<CorpusContent> {
  const caches: Record<string, ViewContent[]> = {};
  for (const name of CORPUS_CACHES) caches[name] = await cacheContent(join(folder, name));
  return { caches, run: await runContent(join(folder, CORPUS_RUN)) };
}

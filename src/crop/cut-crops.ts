/** Cuts the boxes of a detection data set out as images of one class each. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import sharp from 'sharp';
import { decodeImage } from '../data/decode-image.ts';
import { mapBounded } from '../data/map-bounded.ts';
import type { RgbImage } from '../data/rgb-image.ts';
import type { Dataset } from '../data/sample.ts';
import { SoftshardError } from '../errors.ts';
import { writeFileAtomic } from '../flow/atomic-file.ts';
import { classFolder, planCrops, type Crop, type CropBox, type CropOptions } from './crop-plan.ts';

export const CROPS_FORMAT = { format: 'softshard-crops', major: 1, minor: 0 } as const;

const STAMP = 'crops.json';
const FOLDERS = ['train', 'val', 'test', 'all', 'unlabelled'] as const;
/** Images decoded at once: libuv's threads. */
const DECODES = 4;

export interface CutCropsOptions extends CropOptions {
  /** One data set a split, with the same classes. */
  readonly datasets: readonly Dataset[];
  readonly out: string;
  readonly signal?: AbortSignal | undefined;
  /** Called after each image with images done and in all. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface CutCrops {
  /** Number of crops by folder (`train/RBC`, `unlabelled`). */
  readonly counts: Readonly<Record<string, number>>;
  readonly crops: number;
  /** Whether they were there before. */
  readonly found: boolean;
}

/** The pixels of a box as PNG. */
async function cutOut(image: RgbImage, { left, top, right, bottom }: CropBox): Promise<Buffer> {
  const [width, height] = [right - left, bottom - top];
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * image.width + left) * 3;
    pixels.set(image.pixels.subarray(from, from + width * 3), y * width * 3);
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 6, adaptiveFiltering: false, palette: false })
    .toBuffer();
}

/** Makes room in the folder for the crops of `recipe`. Throws E_OPTION_CONFLICT where it holds something else. */
async function clear(out: string, recipe: unknown): Promise<'found' | 'clear'> {
  const names = existsSync(out) ? await readdir(out) : [];
  if (names.length === 0) return 'clear';
  let stamp: unknown;
  try {
    stamp = JSON.parse(await readFile(join(out, STAMP), 'utf8'));
  } catch (cause) {
    throw new SoftshardError('E_OPTION_CONFLICT', {
      message: 'The folder for the crops holds something else.',
      where: out,
      expected: 'a new or an empty folder, or one of earlier crops',
      found: names.slice(0, 5).join(', '),
      cause,
    });
  }
  if (isDeepStrictEqual(stamp, recipe)) return 'found';
  for (const name of FOLDERS) await rm(join(out, name), { recursive: true, force: true });
  return 'clear';
}

/**
 * Writes `SPLIT/CLASS/*.png`, `unlabelled/*.png` and `classes.txt`, or finds them: the same data and options give the
 * same bytes. Earlier crops of other options are replaced. Throws E_DATA_EMPTY without a box, E_OPTION_CONFLICT for a
 * folder that holds something else, E_IMAGE, E_FILE, E_DISK_FULL, E_ABORTED.
 */
export async function cutCrops(options: CutCropsOptions): Promise<CutCrops> {
  const { datasets, out, signal, onProgress, margin, minSide, perClass, unlabelledShare, seed } = options;
  const own = { margin, minSide, perClass, unlabelledShare, seed };
  const plans = datasets.map((dataset) => ({ dataset, crops: planCrops(dataset, dataset.split, own) }));
  const all = plans.flatMap(({ crops }) => crops);
  const names = datasets[0]?.names ?? [];
  if (all.length === 0) {
    throw new SoftshardError('E_DATA_EMPTY', {
      message: 'The data set has no box to cut out.',
      where: datasets[0]?.root ?? out,
      expected: `boxes of at least ${minSide} pixels`,
      found: `${datasets.reduce((sum, { samples }) => sum + samples.length, 0)} images`,
    });
  }
  const counts: Record<string, number> = {};
  for (const { path } of all) counts[dirname(path)] = (counts[dirname(path)] ?? 0) + 1;
  const recipe = {
    ...CROPS_FORMAT,
    ...own,
    names,
    counts,
    data: datasets.map(({ split, digest, labelsDigest }) => ({ split, digest, labelsDigest })),
    sharp: sharp.versions.sharp,
  };
  const before = await clear(out, JSON.parse(JSON.stringify(recipe)));
  if (before === 'found') return { counts, crops: all.length, found: true };
  for (const folder of Object.keys(counts)) await mkdir(join(out, folder), { recursive: true });
  // Until they are all there the stamp is another one, so that an interrupted command cuts again.
  await writeFileAtomic(join(out, STAMP), Buffer.from(`${JSON.stringify({ ...CROPS_FORMAT })}\n`));
  await writeFileAtomic(join(out, 'classes.txt'), Buffer.from(`${names.map(classFolder).join('\n')}\n`));
  const images = plans.flatMap(({ dataset, crops }) => {
    const bySample = new Map<number, Crop[]>();
    for (const crop of crops) bySample.set(crop.sample, [...(bySample.get(crop.sample) ?? []), crop]);
    return [...bySample].map(([index, of]) => ({ file: dataset.samples[index]?.file ?? '', of }));
  });
  let done = 0;
  await mapBounded(images, { concurrency: DECODES, signal }, async ({ file, of }) => {
    const image = await decodeImage(file);
    for (const { path, box } of of) await writeFileAtomic(join(out, path), await cutOut(image, box));
    onProgress?.(++done, images.length);
  });
  await writeFileAtomic(join(out, STAMP), Buffer.from(`${JSON.stringify(recipe, undefined, 2)}\n`));
  return { counts, crops: all.length, found: false };
}

/**
 * Cuts the labelled boxes of a detection data set out: a data set for classifiers, with a folder for each class.
 *
 *     softshard crop --data bccd.yaml --out crops --per-class 300 --unlabelled-share 0.8
 *
 * The same command again finds what is there.
 */
import { resolve } from 'node:path';
import { z } from 'zod';
import { cutCrops, type CutCrops } from '../src/crop/cut-crops.ts';
import { datasetSplits, readDataset } from '../src/data/read-dataset.ts';
import type { Dataset } from '../src/data/sample.ts';
import { EVENT_FORMAT } from '../src/flow/events.ts';
import { defineStep, stepMain, type StepContext } from '../src/flow/step-main.ts';

export const cropOptionsSchema = z.strictObject({
  data: z.string().describe('data yaml, or a folder with images/ and labels/'),
  out: z.string().describe('folder of the crops: SPLIT/CLASS/ and unlabelled/').meta({ placeholder: 'DIR' }),
  margin: z
    .number()
    .min(0)
    .max(2)
    .default(0.1)
    .describe('added on each side of the square around a box, as a share of its longer side'),
  minSide: z
    .int()
    .min(1)
    .default(8)
    .describe('boxes whose shorter side is less are left out')
    .meta({ unit: 'pixels' }),
  perClass: z.int().min(0).default(0).describe('most crops of a class in a split; 0 for all'),
  unlabelledShare: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('share of the training crops of each class whose class is not told'),
  seed: z.int().min(0).default(0).describe('of which crops are taken, and which are unlabelled'),
  badImages: z.enum(['drop', 'error']).default('drop').describe('what to do with unusable images and labels'),
});

export type CropStepOptions = z.output<typeof cropOptionsSchema>;

/** What `softshard crop --json` prints. */
export interface CropResult extends CutCrops {
  /** The folder: a data set. */
  readonly data: string;
  readonly classes: readonly string[];
}

/** Cuts as the options say. */
export async function crop(options: CropStepOptions, context: StepContext): Promise<CropResult> {
  const { data, out, badImages, ...how } = options;
  const { signal } = context;
  const found = await datasetSplits(data);
  const datasets: Dataset[] = [];
  for (const split of found.length > 0 ? found : (['all'] as const)) {
    const onWarning = (message: string): void => context.warn(message);
    const dataset = await readDataset({ data, split, badImages, signal, onWarning });
    for (const { path, reason } of dataset.dropped) context.warn(`dropped ${path}: ${reason}`);
    // Without a split everything is there to learn from.
    datasets.push(split === 'all' ? { ...dataset, split: 'train' } : dataset);
  }
  context.emit({ type: 'start', version: EVENT_FORMAT, message: `crops of ${data} into ${out}` });
  const cut = await cutCrops({
    ...{ ...how, datasets, out, signal },
    onProgress: (done, total) => context.emit({ type: 'step', done, total }),
  });
  return { data: resolve(out), classes: datasets[0]?.names ?? [], ...cut };
}

export const command = defineStep({
  name: 'crop',
  summary: 'Cuts the boxes of a detection data set out as a data set for classifiers.',
  environment: 'none',
  options: cropOptionsSchema,
  run: crop,
  describe: ({ data, crops, counts, found }) =>
    [
      `${data}: ${crops} crops ${found ? 'found' : 'cut'}`,
      ...Object.entries(counts).map(([folder, count]) => `  ${folder}: ${count}`),
    ].join('\n'),
});

stepMain(import.meta.url, command);

/** The images that a run trains on and those that it is measured on. */
import { datasetSplits, readDataset } from '../data/read-dataset.ts';
import type { ImageCheckStore } from '../data/image-checks.ts';
import type { Dataset } from '../data/sample.ts';
import { SoftshardError } from '../errors.ts';
import { hasTeacher, type TrainOptions } from './train-options.ts';

export interface DataContext {
  readonly signal: AbortSignal;
  /** Where what was found about images is kept; nowhere by default. */
  readonly checks?: ImageCheckStore | undefined;
  info(message: string): void;
  warn(message: string): void;
}

/** The annotated samples of a data set, numbered anew. */
const labelledPart = (dataset: Dataset): Dataset => ({
  ...dataset,
  samples: dataset.samples
    .filter((sample) => sample.labels !== undefined)
    .map((sample, index) => ({ ...sample, index })),
});

/**
 * The images to train on: without a teacher only those with labels, since an image without annotation teaches nothing
 * then, nor may it enter a mosaic. Throws E_DATA_EMPTY when none is left, and as `readDataset` does.
 */
export async function readTrainingData(options: TrainOptions, context: DataContext): Promise<Dataset> {
  const { data, split, badImages } = options;
  const whole = await readDataset({
    data,
    split,
    badImages,
    signal: context.signal,
    checks: context.checks,
    onWarning: (message) => context.warn(message),
  });
  for (const { path, reason } of whole.dropped) context.warn(`dropped ${path}: ${reason}`);
  const dataset = hasTeacher(options) ? whole : labelledPart(whole);
  if (dataset.samples.length > 0) return dataset;
  throw new SoftshardError('E_DATA_EMPTY', {
    message: 'No image of the split carries labels, and there is no teacher to learn from.',
    where: data,
    remedy: 'Give --cache DIR or --live-teacher FILE, or label images.',
  });
}

/** The images that mAP is measured on; undefined where it is not asked for, or there is no split for it. */
export async function readValidation(
  options: TrainOptions,
  context: DataContext,
): Promise<Dataset | undefined> {
  if (!options.val) return undefined;
  const splits = await datasetSplits(options.data);
  if (!splits.includes(options.valSplit)) {
    context.info(`no split ${options.valSplit}: mAP is not measured while training`);
    return undefined;
  }
  const { data, valSplit, badImages } = options;
  return readDataset({ data, split: valSplit, badImages, signal: context.signal, checks: context.checks });
}

/** Which samples may appear in a mosaic or mixup beside which. */
import { createHash } from 'node:crypto';
import type { JsonRecord } from '../cache/identity.ts';
import type { PixelSize } from '../data/rgb-image.ts';
import type { Sample } from '../data/sample.ts';
import { integerBelow, type DrawKey } from '../random/keyed.ts';
import type { Augmentation } from './augmentation.ts';

/** Size of a sample (after EXIF orientation), and its labels where it has any. */
export interface DrawnSample extends PixelSize {
  /** Undefined or left out for an unlabelled sample. Only whether it is there is looked at. */
  readonly labels?: readonly unknown[] | undefined;
}

/** All samples by index: a data set's `samples` will do. Must not change once views were drawn from it. */
export type SampleTable = readonly DrawnSample[];

/** Draws one partner: the draw at `index` of the key, as a sample index. */
export type PartnerDraw = (key: DrawKey, index: number) => number;

const known = new WeakMap<SampleTable, readonly number[]>();

/** Indices of the labelled samples, ascending; worked out once a table. */
export function labelledSamples(samples: SampleTable): readonly number[] {
  const found = known.get(samples);
  if (found !== undefined) return found;
  const labelled = samples.flatMap(({ labels }, index) => (labels === undefined ? [] : [index]));
  known.set(samples, labelled);
  return labelled;
}

/**
 * How partners of `sample` are drawn: uniformly, with replacement, among the labelled samples for a labelled one,
 * among all for an unlabelled one. So a view of a labelled sample shows nothing that nobody annotated. Where all
 * samples are labelled, or none is, both draws are the same.
 */
export function partnerDraw(samples: SampleTable, sample: number): PartnerDraw {
  if (samples[sample]?.labels === undefined) return (key, index) => integerBelow(key, index, samples.length);
  const labelled = labelledSamples(samples);
  return (key, index) => labelled[integerBelow(key, index, labelled.length)] ?? sample;
}

/**
 * What the views' pixels depend on beside images and options: which samples are labelled. `labelled` is their number,
 * `digest` the sha256, hex, over one line `PATH LF` each in the data set's order. Undefined where it decides nothing:
 * without mosaics, or when all samples are labelled, or none.
 */
export function partnerIdentity(
  samples: readonly Pick<Sample, 'path' | 'labels'>[],
  augmentation: Augmentation,
): JsonRecord | undefined {
  const labelled = samples.filter(({ labels }) => labels !== undefined);
  if (augmentation.mosaic === 0 || labelled.length === 0 || labelled.length === samples.length)
    return undefined;
  const hash = createHash('sha256');
  for (const { path } of labelled) hash.update(`${path}\n`);
  return { labelled: labelled.length, digest: hash.digest('hex') };
}

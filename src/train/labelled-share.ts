/** How many views of a batch are of labelled samples, where that is fixed. */
import type { Sample } from '../data/sample.ts';
import { SoftshardError } from '../errors.ts';

/** The two sides of every batch. Positions count among the participants, ascending. */
export interface LabelledShare {
  /** Views of labelled samples in each batch, 1 to the batch size. */
  readonly views: number;
  readonly labelled: readonly number[];
  readonly unlabelled: readonly number[];
}

const refused = (message: string, expected: string, found: string, remedy: string): SoftshardError =>
  new SoftshardError('E_OPTION_CONFLICT', { message, where: '--labelled-share', expected, found, remedy });

/**
 * Splits the participants for batches of which round(share * batchSize) views, at least one, are labelled; 0 < share
 * <= 1, halves rounded up. Throws E_OPTION_CONFLICT when a side that is to be drawn from is empty.
 */
export function labelledShare(
  participants: readonly Pick<Sample, 'labels'>[],
  share: number,
  batchSize: number,
): LabelledShare {
  const positions = (isLabelled: boolean): readonly number[] =>
    participants.flatMap(({ labels }, at) => ((labels !== undefined) === isLabelled ? [at] : []));
  const [labelled, unlabelled] = [positions(true), positions(false)];
  const views = Math.max(1, Math.round(share * batchSize));
  if (labelled.length === 0) {
    throw refused(
      'A share of each batch is to be labelled, and no image carries labels.',
      'labelled images',
      `${unlabelled.length} images, all unlabelled`,
      'Leave --labelled-share out, or label images.',
    );
  }
  if (views < batchSize && unlabelled.length === 0) {
    throw refused(
      'A share of each batch is to be unlabelled, and every image that takes part carries labels.',
      'unlabelled images, and a cache to learn them from',
      `${labelled.length} images, all labelled`,
      'Leave --labelled-share out.',
    );
  }
  return { views, labelled, unlabelled };
}

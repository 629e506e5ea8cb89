/** Sampling by image weights: images of classes that are rare, or that the model finds badly, come more often. */
import type { Sample } from '../data/sample.ts';
import { SoftshardError } from '../errors.ts';
import { drawKey, uniform } from '../random/keyed.ts';
import type { BatchItem } from './sample-order.ts';

/** What the draws are for. */
export const IMAGE_WEIGHTS_PURPOSE = 'order-image-weights';

const countClasses = (labels: Sample['labels'], counts: Float64Array): void => {
  for (const { classIndex } of labels ?? []) counts[classIndex] = (counts[classIndex] ?? 0) + 1;
};

/** Weights of the classes, [nc]: 1/count, normalised to the sum nc; a class without labels counts as if it had one. */
export function classWeights(samples: readonly Pick<Sample, 'labels'>[], nc: number): Float64Array {
  const counts = new Float64Array(nc);
  for (const { labels } of samples) countClasses(labels, counts);
  const inverse = counts.map((count) => 1 / Math.max(1, count));
  const sum = inverse.reduce((a, b) => a + b, 0);
  return inverse.map((value) => (value / sum) * nc);
}

/**
 * Weights of the images (YOLOv5 v7.0): the sum over classes of weight_c (1 - mAP_c)^2 / nc times the image's boxes of
 * that class. `maps` is mAP50-95 a class of the last measurement, 0...1; without one every class counts as 0. An image
 * without boxes has weight 0.
 */
export function imageWeights(
  samples: readonly Pick<Sample, 'labels'>[],
  nc: number,
  maps: readonly number[],
): Float64Array {
  const wanted = classWeights(samples, nc).map((weight, c) => (weight * (1 - (maps[c] ?? 0)) ** 2) / nc);
  return Float64Array.from(samples, ({ labels }) =>
    (labels ?? []).reduce((sum, { classIndex }) => sum + (wanted[classIndex] ?? 0), 0),
  );
}

/** The last index whose cumulated weight begins at or below `at`. */
function indexAt(cumulated: Float64Array, at: number): number {
  let [low, high] = [0, cumulated.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cumulated[middle] ?? 0) > at) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * `count` draws with replacement for `epoch` (0-based), each a pure function of seed, epoch and weights. The j-th draw
 * of an image, from 0, has the pass epoch + j: it sees its views in turn. Throws E_DATA_EMPTY when all weights are 0.
 */
export function weightedDraws(
  weights: Float64Array,
  { seed, epoch, count }: { readonly seed: number; readonly epoch: number; readonly count: number },
): readonly BatchItem[] {
  let sum = 0;
  const cumulated = weights.map((weight) => (sum += weight));
  if (!(sum > 0)) {
    throw new SoftshardError('E_DATA_EMPTY', {
      message: 'Image weights choose among labelled boxes, and there are none, or all are found perfectly.',
      where: '--image-weights',
      remedy: 'Leave --image-weights out.',
    });
  }
  const key = drawKey(seed, IMAGE_WEIGHTS_PURPOSE, 0, epoch);
  const drawn = new Map<number, number>();
  return Array.from({ length: count }, (_, i) => {
    const position = indexAt(cumulated, uniform(key, i, 0, 1) * sum);
    const before = drawn.get(position) ?? 0;
    drawn.set(position, before + 1);
    return { position, pass: epoch + before };
  });
}

/** How well anchors fit the boxes of a data set at training size. */
import type { Sample } from '../data/sample.ts';
import { drawKey, uniform } from '../random/keyed.ts';

/** What the draws are for. */
export const BOX_SIZE_PURPOSE = 'auto-anchor-sizes';

/** A width and a height, pixels of the network's input. */
export type BoxSize = readonly [width: number, height: number];

export interface AnchorFit {
  /** Best possible recall: share (0...1) of the boxes that some anchor matches. */
  readonly bpr: number;
  /** Anchors a box matches, on average. */
  readonly aat: number;
}

/**
 * Sizes of all labelled boxes where the image's longer side is `imageSize`, times a draw of 0.9 to 1.1 an image, as
 * augmentation changes them (YOLOv5 v7.0).
 */
export function boxSizes(
  samples: readonly Pick<Sample, 'width' | 'height' | 'labels'>[],
  imageSize: number,
  seed: number,
): readonly BoxSize[] {
  return samples.flatMap(({ width, height, labels }, i) => {
    const scale =
      (imageSize / Math.max(width, height)) * uniform(drawKey(seed, BOX_SIZE_PURPOSE, i), 0, 0.9, 1.1);
    return (labels ?? []).map(({ w, h }): BoxSize => [w * width * scale, h * height * scale]);
  });
}

/** The least of the ratios of two sizes and their inverses, 0...1; 1 where they are equal. */
export function closeness([w, h]: BoxSize, [aw, ah]: BoxSize): number {
  return Math.min(w / aw, aw / w, h / ah, ah / h);
}

/** The fit of `anchors` (pixels); an anchor matches a box when no side differs by a factor of `threshold` or more. */
export function anchorFit(
  sizes: readonly BoxSize[],
  anchors: readonly BoxSize[],
  threshold: number,
): AnchorFit {
  let [recalled, matches] = [0, 0];
  for (const size of sizes) {
    const matching = anchors.filter((anchor) => closeness(size, anchor) > 1 / threshold).length;
    matches += matching;
    if (matching > 0) recalled += 1;
  }
  const count = Math.max(1, sizes.length);
  return { bpr: recalled / count, aat: matches / count };
}

/** Mean over the boxes of the closeness of the best anchor, counted where it matches: what the search raises. */
export function anchorFitness(
  sizes: readonly BoxSize[],
  anchors: readonly BoxSize[],
  threshold: number,
): number {
  let sum = 0;
  for (const size of sizes) {
    let best = 0;
    for (const anchor of anchors) best = Math.max(best, closeness(size, anchor));
    if (best > 1 / threshold) sum += best;
  }
  return sum / Math.max(1, sizes.length);
}

/** Searches anchors for boxes: k-means, then a genetic search (YOLOv5 v7.0's AutoAnchor, with keyed draws). */
import { drawKey, uniform } from '../random/keyed.ts';
import { normal } from '../random/normal.ts';
import { permutation } from '../random/permutation.ts';
import { anchorFitness, type BoxSize } from './anchor-fit.ts';

/** What the draws are for: the first means, the random ones where those fail, and the mutations. */
export const ANCHOR_PURPOSES = ['auto-anchor-means', 'auto-anchor-random', 'auto-anchor-mutation'] as const;

/** Rounds of k-means, and generations of the search. */
const ROUNDS = 30;
const GENERATIONS = 1000;
/** Least side of an anchor, and least larger side of a box that counts, pixels. */
const LEAST = 2;

export interface AnchorSearch {
  readonly count: number;
  readonly imageSize: number;
  /** Largest ratio of box to anchor side for a match. */
  readonly threshold: number;
  readonly seed: number;
}

/** Standard deviation of one side over the boxes; 1 where it is 0. */
function deviation(sizes: readonly BoxSize[], side: 0 | 1): number {
  const mean = sizes.reduce((sum, size) => sum + size[side], 0) / sizes.length;
  return Math.sqrt(sizes.reduce((sum, size) => sum + (size[side] - mean) ** 2, 0) / sizes.length) || 1;
}

/** Means of `count` clusters; undefined when there are fewer boxes, or a cluster runs empty. */
function kMeans(sizes: readonly BoxSize[], count: number, seed: number): readonly BoxSize[] | undefined {
  if (sizes.length < count) return undefined;
  let means = Array.from(
    permutation(drawKey(seed, 'auto-anchor-means'), sizes.length).subarray(0, count),
    (i): BoxSize => sizes[i] ?? [1, 1],
  );
  for (let round = 0; round < ROUNDS; round++) {
    const sums = means.map(() => [0, 0, 0] as [number, number, number]);
    for (const [w, h] of sizes) {
      const distances = means.map(([mw, mh]) => (w - mw) ** 2 + (h - mh) ** 2);
      const sum = sums[distances.indexOf(Math.min(...distances))];
      if (sum === undefined) continue;
      sum[0] += w;
      sum[1] += h;
      sum[2] += 1;
    }
    if (sums.some(([, , members]) => members === 0)) return undefined;
    means = sums.map(([w, h, members]): BoxSize => [w / members, h / members]);
  }
  return means;
}

/** Uniform sides below the image's, ascending in turn: what the search starts from where k-means fails. */
function randomAnchors({ count, imageSize, seed }: AnchorSearch): readonly BoxSize[] {
  const key = drawKey(seed, 'auto-anchor-random');
  const sides = Array.from({ length: 2 * count }, (_, i) => uniform(key, i, 0, 1) * imageSize).sort(
    (a, b) => a - b,
  );
  return Array.from({ length: count }, (_, i): BoxSize => [sides[2 * i] ?? 0, sides[2 * i + 1] ?? 0]);
}

const clipped = (value: number, least: number, most: number): number =>
  Math.min(most, Math.max(least, value));

/** Factors of one generation, 0.3 to 3, not all of them 1: each is moved with probability 0.9. */
function mutation(count: number, seed: number, generation: number): readonly number[] {
  for (let attempt = 0; ; attempt++) {
    const key = drawKey(seed, 'auto-anchor-mutation', attempt, generation);
    const spread = uniform(key, 2 * count, 0, 1);
    const factors = Array.from({ length: 2 * count }, (_, i) =>
      uniform(key, i, 0, 1) < 0.9 ? clipped(1 + spread * normal(key, 2 * count + 1 + i) * 0.1, 0.3, 3) : 1,
    );
    if (factors.some((factor) => factor !== 1)) return factors;
  }
}

/** Anchors for `sizes` by ascending area. Boxes of less than 2 pixels on both sides do not count. */
export function searchAnchors(sizes: readonly BoxSize[], search: AnchorSearch): readonly BoxSize[] {
  const { count, threshold, seed } = search;
  const counted = sizes.filter(([w, h]) => w >= LEAST || h >= LEAST);
  const [sw, sh] = [deviation(counted, 0), deviation(counted, 1)];
  const means = kMeans(
    counted.map(([w, h]): BoxSize => [w / sw, h / sh]),
    count,
    seed,
  );
  let anchors = means?.map(([w, h]): BoxSize => [w * sw, h * sh]) ?? randomAnchors(search);
  let best = anchorFitness(counted, anchors, threshold);
  for (let generation = 0; generation < GENERATIONS; generation++) {
    const factors = mutation(count, seed, generation);
    const moved = anchors.map(([w, h], i): BoxSize => [
      Math.max(LEAST, w * (factors[2 * i] ?? 1)),
      Math.max(LEAST, h * (factors[2 * i + 1] ?? 1)),
    ]);
    const found = anchorFitness(counted, moved, threshold);
    if (found > best) [best, anchors] = [found, moved];
  }
  return [...anchors].sort((a, b) => a[0] * a[1] - b[0] * b[1]);
}

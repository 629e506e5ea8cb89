/** Which detections of one image are true positives, at ten overlap thresholds (YOLOv5 v7.0 convention). */
import type { Detection, TrueBox } from './box.ts';
import { overlap } from './overlap.ts';

/** The overlap thresholds of mAP50-95: 0.50, 0.55, …, 0.95 as float32. */
export const IOU_THRESHOLDS: readonly number[] = Array.from({ length: 10 }, (_, i) =>
  Math.fround(0.5 + 0.05 * i),
);

/** A label and a detection that overlap. */
export interface Pair {
  readonly label: number;
  readonly detection: number;
  readonly iou: number;
}

/**
 * One-to-one pairs out of `pairs`: first each detection keeps the label it overlaps most, then each label keeps its
 * first detection in the order that `ranks` gives the surviving pairs. Equal overlaps keep the earlier label.
 */
export function uniquePairs(pairs: readonly Pair[], ranks: (a: Pair, b: Pair) => number): Pair[] {
  const bestOfDetection = new Map<number, Pair>();
  for (const pair of [...pairs].sort((a, b) => b.iou - a.iou)) {
    if (!bestOfDetection.has(pair.detection)) bestOfDetection.set(pair.detection, pair);
  }
  const firstOfLabel = new Map<number, Pair>();
  for (const pair of [...bestOfDetection.values()].sort(ranks)) {
    if (!firstOfLabel.has(pair.label)) firstOfLabel.set(pair.label, pair);
  }
  return [...firstOfLabel.values()];
}

/** Pairs of equal class (or of any, when `agnostic`) for which `accept` holds of their overlap, label-major. */
export function overlappingPairs(
  detections: readonly Detection[],
  labels: readonly TrueBox[],
  accept: (iou: number) => boolean,
  agnostic = false,
): Pair[] {
  return labels.flatMap((truth, label) =>
    detections.flatMap((found, detection): Pair[] => {
      if (!agnostic && found.classIndex !== truth.classIndex) return [];
      const iou = overlap(truth, found, 1e-7);
      return accept(iou) ? [{ label, detection, iou }] : [];
    }),
  );
}

/**
 * One number a detection: bit k is set where it is a true positive at `IOU_THRESHOLDS[k]`.
 *
 * `detections` in descending score order (what `nonMaxSuppression` returns), in the same pixels as `labels`. At each
 * threshold on its own: candidates overlap by at least the threshold and share the class; each detection goes to the
 * label it overlaps most; a label taken by several belongs to the one of highest score, not of greatest overlap.
 * IoU is float32 with epsilon 1e-7.
 */
export function matchDetections(detections: readonly Detection[], labels: readonly TrueBox[]): Uint16Array {
  const matched = new Uint16Array(detections.length);
  const [lowest = 0.5] = IOU_THRESHOLDS;
  const pairs = overlappingPairs(detections, labels, (iou) => iou >= lowest);
  IOU_THRESHOLDS.forEach((threshold, k) => {
    const enough = pairs.filter(({ iou }) => iou >= threshold);
    for (const { detection } of uniquePairs(enough, (a, b) => a.detection - b.detection)) {
      matched[detection] = (matched[detection] ?? 0) | (1 << k);
    }
  });
  return matched;
}

/** Which detections of one image and class are true in COCO's evaluation (pycocotools, boxes). */
import type { Annotation } from '../data/sample.ts';

/** A detection by its left top corner and size, in the pixels of its annotations. */
export interface CocoDetection {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly score: number;
}

/** Overlaps at which a detection is true: 0.50, 0.55, … 0.95, ten of them. */
export const COCO_THRESHOLDS: readonly number[] = Array.from({ length: 10 }, (_, i) =>
  i === 9 ? 0.95 : 0.5 + i * ((0.95 - 0.5) / 9),
);

/** A range of areas, square pixels, both bounds included. */
export interface AreaRange {
  readonly name: 'all' | 'small' | 'medium' | 'large';
  readonly least: number;
  readonly most: number;
}

export const COCO_AREAS: readonly AreaRange[] = [
  { name: 'all', least: 0, most: 1e10 },
  { name: 'small', least: 0, most: 32 ** 2 },
  { name: 'medium', least: 32 ** 2, most: 96 ** 2 },
  { name: 'large', least: 96 ** 2, most: 1e10 },
];

/** Detections of an image and class that count at most, best first. */
export const COCO_MOST = 100;

/** What became of detections in one area range; bit k of a number speaks of `COCO_THRESHOLDS[k]`. */
export interface CocoMatches {
  /** The detection has an annotation, be it an ignored one. */
  readonly matched: readonly number[];
  /** The detection counts neither as true nor as false. */
  readonly ignored: readonly number[];
  /** Annotations that should be found. */
  readonly wanted: number;
}

/** Intersection over union; over the detection's own area where the annotation is a crowd. */
export function cocoOverlap(found: CocoDetection, truth: Annotation): number {
  const w = Math.min(found.left + found.width, truth.left + truth.width) - Math.max(found.left, truth.left);
  const h = Math.min(found.top + found.height, truth.top + truth.height) - Math.max(found.top, truth.top);
  if (w <= 0 || h <= 0) return 0;
  const area = found.width * found.height;
  const both = w * h;
  return both / (truth.kind === 'crowd' ? area : area + truth.width * truth.height - both);
}

/** `overlaps[d][t]` of every detection with every annotation. */
export const cocoOverlaps = (
  detections: readonly CocoDetection[],
  truths: readonly Annotation[],
): readonly (readonly number[])[] =>
  detections.map((found) => truths.map((truth) => cocoOverlap(found, truth)));

/**
 * Matches detections, best first, with annotations in one area range. Each takes of the annotations that are still
 * free the one it overlaps most, ignored ones only where there is no other; a crowd stays free. Of equal overlaps the
 * later annotation is taken, as pycocotools does.
 */
export function matchCoco(
  detections: readonly CocoDetection[],
  truths: readonly Annotation[],
  overlaps: readonly (readonly number[])[],
  { least, most }: AreaRange,
): CocoMatches {
  const outside = (area: number): boolean => area < least || area > most;
  const isIgnored = truths.map(({ kind, area }) => kind !== 'object' || outside(area));
  const candidates = truths.map((_, t) => t).sort((a, b) => Number(isIgnored[a]) - Number(isIgnored[b]));
  const matched = new Array<number>(detections.length).fill(0);
  const ignored = new Array<number>(detections.length).fill(0);
  for (const [k, threshold] of COCO_THRESHOLDS.entries()) {
    const taken = new Set<number>();
    for (const [d, found] of detections.entries()) {
      let best = -1;
      let reached = Math.min(threshold, 1 - 1e-10);
      for (const t of candidates) {
        if (taken.has(t) && truths[t]?.kind !== 'crowd') continue;
        if (best >= 0 && isIgnored[best] === false && isIgnored[t] === true) break;
        const iou = overlaps[d]?.[t] ?? 0;
        if (iou < reached) continue;
        reached = iou;
        best = t;
      }
      const bit = 1 << k;
      if (best >= 0) {
        taken.add(best);
        matched[d] = (matched[d] ?? 0) | bit;
      }
      if (best >= 0 ? isIgnored[best] === true : outside(found.width * found.height)) {
        ignored[d] = (ignored[d] ?? 0) | bit;
      }
    }
  }
  return { matched, ignored, wanted: isIgnored.filter((value) => !value).length };
}

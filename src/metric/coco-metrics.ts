/**
 * COCO's mAP of boxes, as pycocotools computes it: 101 recalls, four ranges of area, 1, 10 and 100 detections an image
 * and class, crowds ignored.
 */
import type { Annotation } from '../data/sample.ts';
import { roundHalfEven } from '../data/round-half-even.ts';
import type { Detection } from './box.ts';
import {
  COCO_AREAS,
  COCO_MOST,
  COCO_THRESHOLDS,
  cocoOverlaps,
  matchCoco,
  type CocoDetection,
  type CocoMatches,
} from './coco-match.ts';
import { cocoPrecision, type CocoPrecision } from './coco-precision.ts';

/** The twelve numbers of COCO's summary, 0…1; null where no annotation falls into the range. */
export interface CocoFigures {
  /** Mean over thresholds 0.50…0.95 and classes; then at 0.50 and 0.75. */
  readonly AP: number | null;
  readonly AP50: number | null;
  readonly AP75: number | null;
  /** Areas below 32², from there to 96², and above. */
  readonly APs: number | null;
  readonly APm: number | null;
  readonly APl: number | null;
  /** Mean recall with 1, 10 and 100 detections an image and class; then with 100 by area. */
  readonly AR1: number | null;
  readonly AR10: number | null;
  readonly AR100: number | null;
  readonly ARs: number | null;
  readonly ARm: number | null;
  readonly ARl: number | null;
}

export interface CocoClassResult {
  /** Class index. */
  readonly class: number;
  readonly name: string;
  /** Annotations that should be found. */
  readonly instances: number;
  readonly AP: number;
  readonly AP50: number;
}

export interface CocoResult extends CocoFigures {
  /** Classes that have annotations to find, ascending. */
  readonly per_class: readonly CocoClassResult[];
}

export interface CocoMetrics {
  /**
   * Takes in one image: detections and annotations in pixels of the original. `order` is its place among the images:
   * of equal scores those of the lower place come first, whatever the order of the calls.
   */
  add(order: number, detections: readonly Detection[], annotations: readonly Annotation[]): void;
  result(): CocoResult;
}

/** One image's detections of one class, best first, and what became of them by area range. */
interface ImagePart {
  readonly order: number;
  readonly scores: readonly number[];
  readonly areas: readonly CocoMatches[];
}

/** As a results file holds it: pixels to 3 decimals, scores to 5. */
function asReported({ x1, y1, x2, y2, score }: Detection): CocoDetection {
  const to = (value: number, scale: number): number => roundHalfEven(value * scale) / scale;
  const [left, top] = [to(x1, 1e3), to(y1, 1e3)];
  const width = to(Math.fround(x2 - x1), 1e3);
  const height = to(Math.fround(y2 - y1), 1e3);
  return { left, top, width, height, score: to(score, 1e5) };
}

const wantedOf = (parts: readonly ImagePart[], area: number): number =>
  parts.reduce((sum, { areas }) => sum + (areas[area]?.wanted ?? 0), 0);

/** The figures of a class in area range `area` (index) by threshold; undefined where there is nothing to find. */
function figuresOf(
  parts: readonly ImagePart[],
  area: number,
  most: number,
): readonly CocoPrecision[] | undefined {
  const wanted = wantedOf(parts, area);
  if (wanted === 0) return undefined;
  const rows = parts
    .flatMap(({ scores, areas }) =>
      scores.slice(0, most).map((score, d) => ({
        score,
        matched: areas[area]?.matched[d] ?? 0,
        ignored: areas[area]?.ignored[d] ?? 0,
      })),
    )
    .sort((a, b) => b.score - a.score);
  return COCO_THRESHOLDS.map((_, k) =>
    cocoPrecision({
      isTrue: rows.map(({ matched }) => ((matched >> k) & 1) === 1),
      isIgnored: rows.map(({ ignored }) => ((ignored >> k) & 1) === 1),
      wanted,
    }),
  );
}

const precision = (figure: CocoPrecision): number => figure.precision;
const recall = (figure: CocoPrecision): number => figure.recall;
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const meanOrNull = (values: readonly number[]): number | null => (values.length === 0 ? null : mean(values));

/** An empty accumulator for classes `names` (index = class). It keeps no boxes, at most 100 scores an image and class. */
export function cocoMetrics(names: readonly string[]): CocoMetrics {
  const classes = new Map<number, ImagePart[]>();
  return {
    add(order, detections, annotations) {
      const indices = new Set([...detections, ...annotations].map(({ classIndex }) => classIndex));
      for (const classIndex of indices) {
        const found = detections
          .filter((detection) => detection.classIndex === classIndex)
          .map(asReported)
          .sort((a, b) => b.score - a.score)
          .slice(0, COCO_MOST);
        const truths = annotations.filter((annotation) => annotation.classIndex === classIndex);
        const overlaps = cocoOverlaps(found, truths);
        const part = {
          order,
          scores: found.map(({ score }) => score),
          areas: COCO_AREAS.map((range) => matchCoco(found, truths, overlaps, range)),
        };
        const known = classes.get(classIndex);
        if (known === undefined) classes.set(classIndex, [part]);
        else known.push(part);
      }
    },
    result() {
      const all = [...classes.entries()]
        .sort(([a], [b]) => a - b)
        .map(([classIndex, parts]) => ({ classIndex, parts: parts.toSorted((a, b) => a.order - b.order) }));
      const of = (area: number, most = COCO_MOST): readonly (readonly CocoPrecision[])[] =>
        all.flatMap(({ parts }) => {
          const found = figuresOf(parts, area, most);
          return found === undefined ? [] : [found];
        });
      const [whole, small, medium, large] = [of(0), of(1), of(2), of(3)];
      return {
        AP: meanOrNull(whole.flat().map(precision)),
        AP50: meanOrNull(whole.map((found) => found[0]?.precision ?? 0)),
        AP75: meanOrNull(whole.map((found) => found[5]?.precision ?? 0)),
        APs: meanOrNull(small.flat().map(precision)),
        APm: meanOrNull(medium.flat().map(precision)),
        APl: meanOrNull(large.flat().map(precision)),
        AR1: meanOrNull(of(0, 1).flat().map(recall)),
        AR10: meanOrNull(of(0, 10).flat().map(recall)),
        AR100: meanOrNull(whole.flat().map(recall)),
        ARs: meanOrNull(small.flat().map(recall)),
        ARm: meanOrNull(medium.flat().map(recall)),
        ARl: meanOrNull(large.flat().map(recall)),
        per_class: all
          .map(({ classIndex, parts }) => ({
            class: classIndex,
            name: names[classIndex] ?? String(classIndex),
            instances: wantedOf(parts, 0),
          }))
          .filter(({ instances }) => instances > 0)
          .map((found, i): CocoClassResult => {
            const figures = whole[i] ?? [];
            return { ...found, AP: mean(figures.map(precision)), AP50: figures[0]?.precision ?? 0 };
          }),
      };
    },
  };
}

/** Average precision, precision, recall and F1 a class (YOLOv5 v7.0 convention, smoothing included). */
import { roundHalfEven } from '../data/round-half-even.ts';
import { boxSmooth, interpolate, trapezoidArea } from './interpolate.ts';
import { rankDescending } from './ranking.ts';

/** The detections of a data set, in any order: columns of equal length. */
export interface ScoredMatches {
  /** Scores, 0…1. */
  readonly scores: Float32Array;
  /** Predicted class indices. */
  readonly classes: Int32Array;
  /** Bit k is set where the detection is a true positive at threshold k. */
  readonly matched: Uint16Array;
}

/** The figures of one class that has labels. */
export interface ClassPrecision {
  readonly classIndex: number;
  /** Labels of this class. */
  readonly instances: number;
  /** Average precision at each threshold, 0…0.995. */
  readonly ap: readonly number[];
  /** At threshold 0 and the common operating point, 0…1. */
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly truePositives: number;
  readonly falsePositives: number;
}

/** Class means at the first threshold: what precision-recall and F1 curves are drawn from. */
export interface PrecisionCurves {
  /** 1000 confidences, 0…1, and at each of them: */
  readonly confidence: Float64Array;
  readonly precision: Float64Array;
  readonly recall: Float64Array;
  readonly f1: Float64Array;
  /** 101 recalls, 0…1, and the interpolated precision at each. */
  readonly recallGrid: Float64Array;
  readonly precisionAtRecall: Float64Array;
}

export interface AveragePrecision {
  /** Classes that have labels, ascending. */
  readonly classes: readonly ClassPrecision[];
  /** The confidence of the operating point, 0…1: the same for all classes. */
  readonly confidence: number;
  readonly curves: PrecisionCurves;
}

const CONFIDENCES = Float64Array.from({ length: 1000 }, (_, i) => i / 999);
const RECALLS = Float64Array.from({ length: 101 }, (_, i) => i / 100);
const SMOOTHING = 0.1;
const TINY = 1e-16;

/** Precision at 101 recalls: made monotone from the right, bounded by (0, 1) and (1, 0), interpolated linearly. */
function precisionOverRecall(recall: ArrayLike<number>, precision: ArrayLike<number>): Float64Array {
  const x = [0, ...Array.from(recall), 1];
  const y = [1, ...Array.from(precision), 0];
  for (let i = y.length - 2; i >= 0; i--) y[i] = Math.max(y[i] ?? 0, y[i + 1] ?? 0);
  return RECALLS.map((r) => interpolate(r, x, y));
}

/**
 * Area under a precision-recall curve: precision made monotone from the right, bounded by (0, 1) and (1, 0), its
 * linear interpolation at 101 recalls integrated by trapezoids. `recall` ascending. A perfect detector has 0.995.
 */
export const areaUnderPrecision = (recall: ArrayLike<number>, precision: ArrayLike<number>): number =>
  trapezoidArea(RECALLS, precisionOverRecall(recall, precision));

interface Curves {
  readonly ap: number[];
  /** At `CONFIDENCES`, threshold 0. */
  readonly precision: Float64Array;
  readonly recall: Float64Array;
  /** At `RECALLS`, threshold 0. */
  readonly precisionAtRecall: Float64Array;
}

/** Curves of one class over its detections in descending score order. */
function curvesOf(
  matches: ScoredMatches,
  order: readonly number[],
  labels: number,
  thresholds: number,
): Curves {
  const ap: number[] = [];
  let precisionAt = new Float64Array(CONFIDENCES.length);
  let recallAt = new Float64Array(CONFIDENCES.length);
  let overRecall: Float64Array = new Float64Array(RECALLS.length);
  if (order.length === 0) {
    const precisionAtRecall = new Float64Array(RECALLS.length);
    const ap = new Array<number>(thresholds).fill(0);
    return { ap, precision: precisionAt, recall: recallAt, precisionAtRecall };
  }
  // Negated, so that the abscissae ascend.
  const scores = order.map((i) => -(matches.scores[i] ?? 0));
  for (let k = 0; k < thresholds; k++) {
    const recall = new Float64Array(order.length);
    const precision = new Float64Array(order.length);
    let truePositives = 0;
    order.forEach((i, rank) => {
      truePositives += ((matches.matched[i] ?? 0) >> k) & 1;
      recall[rank] = truePositives / (labels + TINY);
      precision[rank] = truePositives / (rank + 1);
    });
    const interpolated = precisionOverRecall(recall, precision);
    ap.push(trapezoidArea(RECALLS, interpolated));
    if (k === 0) {
      overRecall = interpolated;
      precisionAt = CONFIDENCES.map((c) => interpolate(-c, scores, precision, 1));
      recallAt = CONFIDENCES.map((c) => interpolate(-c, scores, recall, 0));
    }
  }
  return { ap, precision: precisionAt, recall: recallAt, precisionAtRecall: overRecall };
}

const harmonicMean = (p: number, r: number): number => (2 * p * r) / (p + r + TINY);

/** Means over classes; zeros without any. */
function meanCurves(curves: readonly Curves[]): PrecisionCurves {
  const mean = (x: Float64Array, of: (curve: Curves, i: number) => number): Float64Array =>
    x.map((_, i) => curves.reduce((sum, curve) => sum + of(curve, i), 0) / Math.max(curves.length, 1));
  return {
    confidence: CONFIDENCES,
    precision: mean(CONFIDENCES, ({ precision }, i) => precision[i] ?? 0),
    recall: mean(CONFIDENCES, ({ recall }, i) => recall[i] ?? 0),
    f1: mean(CONFIDENCES, ({ precision, recall }, i) => harmonicMean(precision[i] ?? 0, recall[i] ?? 0)),
    recallGrid: RECALLS,
    precisionAtRecall: mean(RECALLS, ({ precisionAtRecall }, i) => precisionAtRecall[i] ?? 0),
  };
}

/** The index into `CONFIDENCES` of the greatest smoothed class-mean F1; the first of equals. */
function operatingPoint(curves: readonly Curves[]): number {
  const mean = CONFIDENCES.map((_, i) => {
    const sum = curves.reduce((s, { precision: p, recall: r }) => s + harmonicMean(p[i] ?? 0, r[i] ?? 0), 0);
    return sum / curves.length;
  });
  const smooth = boxSmooth(mean, SMOOTHING);
  return smooth.reduce((best, value, i) => (value > (smooth[best] ?? 0) ? i : best), 0);
}

/** Indices of the detections by class, each list in descending score order; equal scores keep their order. */
function byClass(matches: ScoredMatches): Map<number, number[]> {
  const lists = new Map<number, number[]>();
  matches.classes.forEach((c, i) => {
    const list = lists.get(c);
    if (list === undefined) lists.set(c, [i]);
    else list.push(i);
  });
  for (const [c, list] of lists) {
    const scores = Float32Array.from(list, (i) => matches.scores[i] ?? 0);
    lists.set(
      c,
      Array.from(rankDescending(scores, list.length), (at) => list[at] ?? 0),
    );
  }
  return lists;
}

/**
 * The figures of every class that has labels; a class without detections has zeros.
 *
 * `labels[c]` is the number of labels of class c; `thresholds` (1…16, 10 by default) how many bits of `matched`
 * count. P, R and F1 are taken at the first threshold and at one confidence for all classes: that of the greatest
 * class-mean F1 after smoothing over a tenth of the range.
 */
export function averagePrecision(
  matches: ScoredMatches,
  labels: ArrayLike<number>,
  thresholds = 10,
): AveragePrecision {
  const present = Array.from(labels, (count, c) => ({ c, count })).filter(({ count }) => count > 0);
  if (present.length === 0) return { classes: [], confidence: 0, curves: meanCurves([]) };
  const lists = byClass(matches);
  const curves = present.map(({ c, count }) => curvesOf(matches, lists.get(c) ?? [], count, thresholds));
  const point = operatingPoint(curves);
  const classes = present.map(({ c, count }, k): ClassPrecision => {
    const { ap = [], precision: ps, recall: rs } = curves[k] ?? {};
    const [precision, recall] = [ps?.[point] ?? 0, rs?.[point] ?? 0];
    const truePositives = roundHalfEven(recall * count);
    return {
      classIndex: c,
      instances: count,
      ap,
      precision,
      recall,
      f1: harmonicMean(precision, recall),
      truePositives,
      falsePositives: roundHalfEven(truePositives / (precision + TINY) - truePositives),
    };
  });
  return { classes, confidence: CONFIDENCES[point] ?? 0, curves: meanCurves(curves) };
}

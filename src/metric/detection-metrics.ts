/** Collects detections against labels over a data set and gives the figures of an evaluation. */
import { SoftshardError } from '../errors.ts';
import {
  averagePrecision,
  type ClassPrecision,
  type PrecisionCurves,
  type ScoredMatches,
} from './average-precision.ts';
import type { Detection, TrueBox } from './box.ts';
import { matchDetections } from './match.ts';

/** The figures of one class; fields as `softshard evaluate --json` prints them. */
export interface ClassResult {
  /** Class index. */
  readonly class: number;
  readonly name: string;
  readonly instances: number;
  readonly P: number;
  readonly R: number;
  readonly mAP50: number;
  readonly mAP50_95: number;
}

/** The figures of an evaluation, all 0…1 but the counts; means over the classes that have labels. */
export interface EvaluationResult {
  readonly images: number;
  readonly instances: number;
  readonly P: number;
  readonly R: number;
  readonly mAP50: number;
  readonly mAP50_95: number;
  /** Classes that have labels, ascending. */
  readonly per_class: readonly ClassResult[];
}

export interface DetectionMetrics {
  /**
   * Takes in one image: its detections in descending score order, and its labels, in the same pixels.
   * Throws E_LABEL when a label's class is out of range.
   */
  add(detections: readonly Detection[], labels: readonly TrueBox[]): void;
  /** The figures over the images so far; all zero without labels. */
  result(): EvaluationResult;
  /** mAP50-95 of every class, length nc; where a class has no labels, that over all classes. */
  maps(): Float64Array;
  /** Precision, recall and F1 over confidence, precision over recall. */
  curves(): PrecisionCurves;
}

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

const classResult = (found: ClassPrecision, names: readonly string[]): ClassResult => ({
  class: found.classIndex,
  name: names[found.classIndex] ?? String(found.classIndex),
  instances: found.instances,
  P: found.precision,
  R: found.recall,
  mAP50: found.ap[0] ?? 0,
  mAP50_95: mean(found.ap),
});

/** Joins columns of many images into one. */
function joined(parts: readonly ScoredMatches[]): ScoredMatches {
  const length = parts.reduce((sum, { scores }) => sum + scores.length, 0);
  const all = {
    scores: new Float32Array(length),
    classes: new Int32Array(length),
    matched: new Uint16Array(length),
  };
  let at = 0;
  for (const part of parts) {
    all.scores.set(part.scores, at);
    all.classes.set(part.classes, at);
    all.matched.set(part.matched, at);
    at += part.scores.length;
  }
  return all;
}

/** An empty accumulator for classes `names` (index = class). It keeps 10 bytes a detection, no boxes. */
export function detectionMetrics(names: readonly string[]): DetectionMetrics {
  const parts: ScoredMatches[] = [];
  const labelCounts = new Uint32Array(names.length);
  const result = (): EvaluationResult => {
    const perClass = averagePrecision(joined(parts), labelCounts).classes.map((c) => classResult(c, names));
    return {
      images: parts.length,
      instances: labelCounts.reduce((sum, count) => sum + count, 0),
      P: mean(perClass.map((c) => c.P)),
      R: mean(perClass.map((c) => c.R)),
      mAP50: mean(perClass.map((c) => c.mAP50)),
      mAP50_95: mean(perClass.map((c) => c.mAP50_95)),
      per_class: perClass,
    };
  };
  return {
    add(detections, labels) {
      for (const { classIndex } of labels) {
        if (!(classIndex in labelCounts)) {
          throw new SoftshardError('E_LABEL', {
            message: 'A label has a class that the data set does not name.',
            expected: `a class in 0…${names.length - 1}`,
            found: String(classIndex),
          });
        }
      }
      for (const { classIndex } of labels) labelCounts[classIndex] = (labelCounts[classIndex] ?? 0) + 1;
      parts.push({
        scores: Float32Array.from(detections, ({ score }) => score),
        classes: Int32Array.from(detections, ({ classIndex }) => classIndex),
        matched: matchDetections(detections, labels),
      });
    },
    result,
    curves: () => averagePrecision(joined(parts), labelCounts).curves,
    maps() {
      const { mAP50_95, per_class } = result();
      const maps = new Float64Array(names.length).fill(mAP50_95);
      for (const found of per_class) maps[found.class] = found.mAP50_95;
      return maps;
    },
  };
}

/** Precision over recall as COCO averages it: a step function, sampled at 101 recalls. */

/** Detections of a class over a data set in descending score order, at one threshold. */
export interface RankedMatches {
  readonly isTrue: readonly boolean[];
  /** As long: what counts as neither true nor false. */
  readonly isIgnored: readonly boolean[];
  /** Annotations that should be found, > 0. */
  readonly wanted: number;
}

export interface CocoPrecision {
  /** Mean of the precision at recalls 0, 0.01, … 1; 0 where a recall is not reached. */
  readonly precision: number;
  /** Recall of all detections together. */
  readonly recall: number;
}

const RECALLS = Array.from({ length: 101 }, (_, i) => (i === 100 ? 1 : i * 0.01));

/** The figures of one class at one threshold. */
export function cocoPrecision({ isTrue, isIgnored, wanted }: RankedMatches): CocoPrecision {
  const recall: number[] = [];
  const precision: number[] = [];
  let [truePositives, falsePositives] = [0, 0];
  isTrue.forEach((hit, i) => {
    if (isIgnored[i] !== true) {
      if (hit) truePositives++;
      else falsePositives++;
    }
    recall.push(truePositives / wanted);
    precision.push(truePositives / (falsePositives + truePositives + Number.EPSILON));
  });
  for (let i = precision.length - 2; i >= 0; i--) {
    precision[i] = Math.max(precision[i] ?? 0, precision[i + 1] ?? 0);
  }
  let sum = 0;
  let at = 0;
  for (const wantedRecall of RECALLS) {
    while (at < recall.length && (recall[at] ?? 0) < wantedRecall) at++;
    sum += precision[at] ?? 0;
  }
  return { precision: sum / RECALLS.length, recall: recall.at(-1) ?? 0 };
}

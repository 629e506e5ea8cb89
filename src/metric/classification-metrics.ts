/** How often a classifier is right. */

export interface ClassAccuracy {
  readonly class: number;
  readonly name: string;
  readonly images: number;
  /** Share of its images that were told; null without one. */
  readonly accuracy: number | null;
}

export interface ClassificationMetrics {
  readonly images: number;
  /** Share of the images whose class had the largest logit, 0...1. */
  readonly accuracy: number;
  /** Mean over the classes that have images of each one's accuracy. */
  readonly meanClassAccuracy: number;
  /** Mean of -ln softmax(logits)[class]. */
  readonly crossEntropy: number;
  readonly perClass: readonly ClassAccuracy[];
  /** Counts, [predicted][true]. */
  readonly confusion: readonly (readonly number[])[];
}

export interface ClassificationCounter {
  /** Takes in the logits of an image and its class. Of equal largest logits the first counts. */
  add(logits: ArrayLike<number>, truth: number): void;
  result(): ClassificationMetrics;
}

/** Counts over images whose classes are `names`. */
export function classificationMetrics(names: readonly string[]): ClassificationCounter {
  const confusion = names.map(() => new Array<number>(names.length).fill(0));
  let images = 0;
  let entropy = 0;
  return {
    add(logits, truth) {
      let best = 0;
      for (let k = 1; k < logits.length; k++) if ((logits[k] ?? 0) > (logits[best] ?? 0)) best = k;
      const row = confusion[best];
      if (row !== undefined) row[truth] = (row[truth] ?? 0) + 1;
      const top = logits[best] ?? 0;
      let sum = 0;
      for (let k = 0; k < logits.length; k++) sum += Math.exp((logits[k] ?? 0) - top);
      entropy += Math.log(sum) + top - (logits[truth] ?? 0);
      images += 1;
    },
    result() {
      const perClass = names.map((name, k): ClassAccuracy => {
        const count = confusion.reduce((all, row) => all + (row[k] ?? 0), 0);
        return {
          class: k,
          name,
          images: count,
          accuracy: count === 0 ? null : (confusion[k]?.[k] ?? 0) / count,
        };
      });
      const shares = perClass.flatMap(({ accuracy }) => accuracy ?? []);
      const right = confusion.reduce((all, row, k) => all + (row[k] ?? 0), 0);
      return {
        images,
        accuracy: right / images,
        meanClassAccuracy: shares.reduce((a, b) => a + b, 0) / shares.length,
        crossEntropy: entropy / images,
        perClass,
        confusion: confusion.map((row) => [...row]),
      };
    },
  };
}

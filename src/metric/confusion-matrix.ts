/** Which class is taken for which, class-agnostic in its matching (YOLOv5 v7.0 convention). */
import type { Detection, TrueBox } from './box.ts';
import { overlappingPairs, uniquePairs } from './match.ts';

export interface ConfusionMatrix {
  /** Takes in one image: detections and labels in the same pixels, in any order. */
  add(detections: readonly Detection[], labels: readonly TrueBox[]): void;
  /** Counts, [predicted][true], (nc + 1) x (nc + 1); the last row and column are the background. A copy. */
  counts(): number[][];
}

/**
 * An empty matrix for `nc` classes. Detections with a score above `confThreshold` (0.25) count; a pair needs an IoU
 * above `iouThreshold` (0.45), whatever the classes.
 *
 * A detection without a label counts as taken from the background in every image. (The original leaves it out in
 * images where nothing matched at all.)
 */
export function confusionMatrix(nc: number, confThreshold = 0.25, iouThreshold = 0.45): ConfusionMatrix {
  const matrix = Array.from({ length: nc + 1 }, () => new Array<number>(nc + 1).fill(0));
  const count = (predicted: number, truth: number): void => {
    const row = matrix[predicted];
    if (row !== undefined) row[truth] = (row[truth] ?? 0) + 1;
  };
  return {
    add(detections, labels) {
      const sure = detections.filter(({ score }) => score > confThreshold);
      const pairs = uniquePairs(
        overlappingPairs(sure, labels, (iou) => iou > iouThreshold, true),
        (a, b) => b.iou - a.iou,
      );
      const detectionOf = new Map(pairs.map(({ label, detection }) => [label, detection]));
      const taken = new Set(pairs.map(({ detection }) => detection));
      labels.forEach(({ classIndex }, label) => {
        const found = sure[detectionOf.get(label) ?? -1];
        count(found?.classIndex ?? nc, classIndex);
      });
      sure.forEach(({ classIndex }, detection) => {
        if (!taken.has(detection)) count(classIndex, nc);
      });
    },
    counts: () => matrix.map((row) => [...row]),
  };
}

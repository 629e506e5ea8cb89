/** What stands for the rows that are not stored: values by which the losses' expected gradient stays right. */
import { sigmoid } from '../metric/box-decode.ts';
import type { ClassScale } from './class-scale.ts';
import { CLASS_COLUMN, OBJECTNESS_COLUMN, type HeadShape } from './head-shape.ts';
import { MEAN_STEP } from './row-plan.ts';
import { UNIT } from './units.ts';

/** Least value for rows below the floor, in units. */
const LEAST_BELOW = -64 * UNIT;

/** One objectness, in units, for all rows with code 0: the logit of their mean sigmoid, even and below the floor. */
export function valueBelow(data: Float32Array, codes: Int32Array, no: number, floor: number): number {
  let sum = 0;
  let count = 0;
  codes.forEach((code, row) => {
    if (code > 0) return;
    sum += sigmoid(data[row * no + OBJECTNESS_COLUMN] ?? 0);
    count += 1;
  });
  const highest = 2 * Math.floor((floor - 1) / 2);
  if (count === 0) return highest;
  const mean = sum / count;
  const logit = Math.log(mean / (1 - mean));
  return Math.max(LEAST_BELOW, Math.min(highest, 2 * Math.round((logit * UNIT) / 2)));
}

export interface LeftOut {
  /** Not 0 for rows whose classes are stored or predicted. */
  readonly classes: Uint8Array;
  /** Not 0 for rows whose box is stored. */
  readonly boxes: Uint8Array;
  /** Weight of each row: the sigmoid of its decoded objectness. */
  weightOf(row: number): number;
}

/** Weighted mean classes of the rows left out, on the scale, then their mean boxes by anchor; in units. */
export function meansOf(
  data: Float32Array,
  shape: HeadShape,
  leftOut: LeftOut,
  scale: ClassScale,
): Int32Array {
  const { rows, na, no, classes } = shape;
  const sums = new Float64Array(classes + 4 * na);
  const boxWeights = new Float64Array(na);
  let classWeight = 0;
  for (let row = 0; row < rows; row++) {
    const weight = leftOut.weightOf(row);
    const at = row * no;
    if (leftOut.classes[row] === 0) {
      classWeight += weight;
      for (let c = 0; c < classes; c++) {
        sums[c] = (sums[c] ?? 0) + weight * (data[at + CLASS_COLUMN + c] ?? 0);
      }
    }
    if (leftOut.boxes[row] === 0) {
      const anchor = row % na;
      boxWeights[anchor] = (boxWeights[anchor] ?? 0) + weight;
      for (let c = 0; c < 4; c++) {
        const i = classes + 4 * anchor + c;
        sums[i] = (sums[i] ?? 0) + weight * (data[at + c] ?? 0);
      }
    }
  }
  return Int32Array.from(sums, (sum, i) => {
    const weight = i < classes ? classWeight : (boxWeights[(i - classes) >> 2] ?? 0);
    const mean = weight > 0 ? (sum / weight) * UNIT : 0;
    return Math.round((i < classes ? scale.scaled(mean) : mean) / MEAN_STEP) * MEAN_STEP;
  });
}

/** Reads what `write-rows.ts` wrote, into a head. */
import type { SymbolReader } from '../cache/codecs/symbol-reader.ts';
import { CLASS_COLUMN, type HeadShape } from './head-shape.ts';
import {
  boxContext,
  boxStepAt,
  classCoding,
  MEAN_STEP,
  MEANS_CONTEXT,
  rowSymbols,
  type RowPlan,
} from './row-plan.ts';
import { RowPrediction, unknownRows } from './row-prediction.ts';
import { logitOf } from './units.ts';

export function readMeans(reader: SymbolReader, shape: HeadShape): Int32Array {
  const { lanes } = rowSymbols(shape);
  const middle = reader.number(0, MEANS_CONTEXT);
  return Int32Array.from({ length: shape.classes + 4 * shape.na }, (_, i) => {
    return (reader.number(i % lanes, MEANS_CONTEXT) + (i < shape.classes ? middle : 0)) * MEAN_STEP;
  });
}

/** Fills all rows with the means: class logits, and the box of the anchor. */
export function fillWithMeans(shape: HeadShape, { means, scale }: RowPlan, into: Float32Array): void {
  const { na, no, classes } = shape;
  const cell = new Float32Array(na * no);
  for (let a = 0; a < na; a++) {
    for (let c = 0; c < 4; c++) cell[a * no + c] = logitOf(means[classes + 4 * a + c] ?? 0);
    for (let c = 0; c < classes; c++) cell[a * no + CLASS_COLUMN + c] = logitOf(scale.logit(means[c] ?? 0));
  }
  into.set(cell.subarray(0, Math.min(cell.length, into.length)));
  for (let filled = cell.length; filled < into.length; filled *= 2) {
    into.copyWithin(filled, 0, Math.min(filled, into.length - filled));
  }
}

/** Reads boxes and classes of the stored rows and predicts those that are only predicted. */
export function readRows(reader: SymbolReader, shape: HeadShape, plan: RowPlan, into: Float32Array): void {
  const { no, classes } = shape;
  const { order, weights, classRows, boxRows, predictedRows, scale } = plan;
  const { lanes } = rowSymbols(shape);
  const known = unknownRows(shape, plan);
  const prediction = new RowPrediction(shape, known);

  const readBox = (row: number, place: number, weight: number): void => {
    const step = boxStepAt(plan, weight);
    const seen = prediction.predictBox(row);
    for (let c = 0; c < 4; c++) {
      const value = (prediction.box[c] ?? 0) + reader.number(c + 1, boxContext(plan, c, seen, weight)) * step;
      known.boxes[4 * place + c] = value;
      into[row * no + c] = logitOf(value);
    }
  };
  const readClasses = (row: number, place: number, weight: number): void => {
    const seen = prediction.predictClasses(row);
    const { step, middleStep, middleContext, context } = classCoding(plan, weight, seen);
    const predicted = prediction.classes;
    const at = row * no + CLASS_COLUMN;
    const middle = reader.number(0, middleContext) * middleStep;
    for (let c = 0, lane = 0; c < classes; c++) {
      const value = (predicted[c] ?? 0) + middle + reader.number(lane, context) * step;
      known.classes[place * classes + c] = value;
      into[at + c] = logitOf(scale.logit(value));
      lane = lane + 1 === lanes ? 0 : lane + 1;
    }
  };

  for (let place = 0; place < Math.max(boxRows, classRows); place++) {
    const row = order[place] ?? 0;
    const weight = weights[place] ?? 0;
    if (place < boxRows) readBox(row, place, weight);
    if (place < classRows && classes > 0) readClasses(row, place, weight);
    known.places[row] = place + 1;
  }
  for (let place = classRows; place < predictedRows; place++) {
    const row = order[place] ?? 0;
    if (prediction.predictClasses(row) === 0) continue;
    const at = row * no + CLASS_COLUMN;
    for (let c = 0; c < classes; c++) into[at + c] = logitOf(scale.logit(prediction.classes[c] ?? 0));
  }
}

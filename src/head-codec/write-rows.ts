/** Writes boxes and classes of the stored rows: what differs from the prediction, in steps by the row's weight. */
import type { SymbolWriter } from '../cache/codecs/symbol-writer.ts';
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
import { UNIT } from './units.ts';

/** The nearest number of steps, halves away from 0. */
const steps = (difference: number, step: number): number =>
  difference < 0 ? -Math.floor(-difference / step + 0.5) : Math.floor(difference / step + 0.5);

/**
 * The lower median. It survives quantisation, which keeps the order and puts the median itself on 0 steps: what was
 * decoded gives the same middle again.
 */
const middleOf = (values: Float64Array): number => values.slice().sort()[(values.length - 1) >> 1] ?? 0;

/** Writes the means, their classes as differences from the middle of them. */
export function writeMeans(writer: SymbolWriter, shape: HeadShape, means: Int32Array): void {
  const { lanes } = rowSymbols(shape);
  const middle = steps(middleOf(Float64Array.from(means.subarray(0, shape.classes))), MEAN_STEP);
  writer.number(0, MEANS_CONTEXT, middle);
  means.forEach((mean, i) => {
    writer.number(i % lanes, MEANS_CONTEXT, mean / MEAN_STEP - (i < shape.classes ? middle : 0));
  });
}

/** Writes the rows of `source`, the whole head. */
export function writeRows(writer: SymbolWriter, shape: HeadShape, plan: RowPlan, source: Float32Array): void {
  const { no, classes } = shape;
  const { order, weights, classRows, boxRows, scale } = plan;
  const { lanes } = rowSymbols(shape);
  const known = unknownRows(shape, plan);
  const prediction = new RowPrediction(shape, known);
  const differences = new Float64Array(classes);

  const writeBox = (row: number, place: number, weight: number): void => {
    const step = boxStepAt(plan, weight);
    const seen = prediction.predictBox(row);
    for (let c = 0; c < 4; c++) {
      const predicted = prediction.box[c] ?? 0;
      const n = steps((source[row * no + c] ?? 0) * UNIT - predicted, step);
      writer.number(c + 1, boxContext(plan, c, seen, weight), n);
      known.boxes[4 * place + c] = predicted + n * step;
    }
  };
  const writeClasses = (row: number, place: number, weight: number): void => {
    const seen = prediction.predictClasses(row);
    const { step, middleStep, middleContext, context } = classCoding(plan, weight, seen);
    const at = row * no + CLASS_COLUMN;
    for (let c = 0; c < classes; c++) {
      differences[c] = scale.scaled((source[at + c] ?? 0) * UNIT) - (prediction.classes[c] ?? 0);
    }
    const middle = steps(middleOf(differences), middleStep);
    writer.number(0, middleContext, middle);
    for (let c = 0; c < classes; c++) {
      const n = steps((differences[c] ?? 0) - middle * middleStep, step);
      writer.number(c % lanes, context, n);
      known.classes[place * classes + c] = (prediction.classes[c] ?? 0) + middle * middleStep + n * step;
    }
  };

  for (let place = 0; place < Math.max(boxRows, classRows); place++) {
    const row = order[place] ?? 0;
    const weight = weights[place] ?? 0;
    if (place < boxRows) writeBox(row, place, weight);
    if (place < classRows && classes > 0) writeClasses(row, place, weight);
    known.places[row] = place + 1;
  }
}

/** One level's head of one view to bytes. */
import { ByteSink } from '../cache/codecs/byte-cursor.ts';
import { SymbolWriter } from '../cache/codecs/symbol-writer.ts';
import { chooseFloor } from './choose-floor.ts';
import { classScale } from './class-scale.ts';
import { OBJECTNESS_COLUMN, type HeadShape } from './head-shape.ts';
import { sigmoid } from '../metric/box-decode.ts';
import { meansOf, valueBelow } from './left-out.ts';
import { bandsOf, codeOf, levelsOf } from './objectness-levels.ts';
import { MAP_SYMBOLS, writeMap } from './objectness-map.ts';
import { rowOrder } from './row-order.ts';
import { rowSymbols, type RowPlan } from './row-plan.ts';
import { rowsAround } from './row-prediction.ts';
import { placesUpTo, stepFor, weightsOf } from './row-weight.ts';
import type { SparseOptions } from './sparse-options.ts';
import { UNIT } from './units.ts';
import { writeMeans, writeRows } from './write-rows.ts';

/** Variance, in squared logits, of what prediction leaves: what a row costs that is not stored. */
const LEFT_OUT_VARIANCE = 0.6;

/** Rows whose step would be larger than this many logits are not stored: all of it would be zero steps. */
const COARSEST_STEP = 48 * UNIT;
/** Rows with steps up to this many times as large are predicted still; the others get the mean. */
const PREDICTED_STEPS = 8;

/** The bytes of a head whose values are all finite and below the largest logit. */
export function encodeHead(data: Float32Array, shape: HeadShape, options: SparseOptions): Uint8Array {
  const { rows, no } = shape;
  const { floor, counts } = chooseFloor(data, shape, options.floor);
  const objectnessStep = stepFor(options.objectness, counts, options.coarsest ** 2 / 12);
  const classStep = stepFor(options.classes, counts, LEFT_OUT_VARIANCE);
  const boxStep = stepFor(options.boxes, counts, LEFT_OUT_VARIANCE);
  const bands = bandsOf(options, objectnessStep, floor);
  const codes = new Int32Array(rows);
  let top = 0;
  for (let row = 0; row < rows; row++) {
    const code = codeOf(bands, (data[row * no + OBJECTNESS_COLUMN] ?? 0) * UNIT);
    codes[row] = code;
    if (code > top) top = code;
  }
  const below = valueBelow(data, codes, no, floor);
  const levels = levelsOf(bands, below, top) ?? new Int32Array();
  const order = rowOrder(codes);
  const weights = weightsOf(order, codes, levels);
  const classRows = Math.min(options.k, placesUpTo(weights, classStep, COARSEST_STEP));
  const boxRows = Math.min(options.k, placesUpTo(weights, boxStep, COARSEST_STEP));
  const predictedRows = Math.max(classRows, placesUpTo(weights, classStep, PREDICTED_STEPS * COARSEST_STEP));
  const scale = classScale(options.peaks);
  const sigmoids = Float64Array.from(levels, (level) => sigmoid(level / UNIT));
  const leftOut = {
    classes: new Uint8Array(rows),
    boxes: new Uint8Array(rows),
    weightOf: (row: number) => sigmoids[codes[row] ?? 0] ?? 0,
  };
  for (let place = 0; place < boxRows; place++) leftOut.boxes[order[place] ?? 0] = 1;
  for (let place = 0; place < classRows; place++) leftOut.classes[order[place] ?? 0] = 1;
  const stored = leftOut.classes.slice();
  const around = rowsAround(shape);
  for (let place = classRows; place < predictedRows; place++) {
    const row = order[place] ?? 0;
    if (around(row).some(({ row: other }) => stored[other] === 1)) leftOut.classes[row] = 1;
  }
  const means = meansOf(data, shape, leftOut, scale);
  const plan: RowPlan = {
    order,
    weights,
    classRows,
    boxRows,
    predictedRows,
    classStep,
    boxStep,
    overlaps: options.overlaps,
    scale,
    means,
  };

  const sink = new ByteSink();
  for (const value of [classRows, boxRows, predictedRows, classStep, boxStep, objectnessStep])
    sink.whole(value);
  sink.signed(floor);
  sink.signed(below);
  const map = new SymbolWriter(MAP_SYMBOLS);
  writeMap(map, shape, codes);
  map.finish(sink);
  const writer = new SymbolWriter(rowSymbols(shape));
  writeMeans(writer, shape, means);
  writeRows(writer, shape, plan, data);
  writer.finish(sink);
  return sink.finish();
}

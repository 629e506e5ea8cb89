/** One level's head of one view from its bytes. */
import { ByteSource } from '../cache/codecs/byte-cursor.ts';
import { SymbolReader } from '../cache/codecs/symbol-reader.ts';
import { corrupt } from '../cache/corrupt.ts';
import { classScale } from './class-scale.ts';
import { OBJECTNESS_COLUMN, type HeadShape } from './head-shape.ts';
import { bandsOf, levelsOf } from './objectness-levels.ts';
import { MAP_SYMBOLS, readMap } from './objectness-map.ts';
import { fillWithMeans, readMeans, readRows } from './read-rows.ts';
import { rowOrder } from './row-order.ts';
import { rowSymbols, type RowPlan } from './row-plan.ts';
import { weightsOf } from './row-weight.ts';
import type { SparseOptions } from './sparse-options.ts';
import { LARGEST_LOGIT, UNIT } from './units.ts';

/** The head [ny, nx, na, no]. Throws E_CACHE_CORRUPT for bytes that no encoder writes. */
export function decodeHead(
  bytes: Uint8Array,
  shape: HeadShape,
  options: SparseOptions,
  where: string,
): Float32Array {
  const { rows, no } = shape;
  const source = new ByteSource(bytes, where);
  const [classRows = 0, boxRows = 0, predictedRows = 0, classStep = 0, boxStep = 0, objectnessStep = 0] =
    Array.from({ length: 6 }, () => source.whole());
  const floor = source.signed();
  const below = source.signed();
  if (!(Math.abs(floor) <= LARGEST_LOGIT * UNIT && below < floor)) {
    throw corrupt(where, 'a floor that no encoder writes');
  }
  const map = new SymbolReader(source, MAP_SYMBOLS, where);
  const codes = readMap(map, shape);
  map.end();
  const top = codes.reduce((a, b) => Math.max(a, b), 0);
  const levels = codes.includes(-1)
    ? undefined
    : levelsOf(bandsOf(options, objectnessStep, floor), below, top);
  if (levels === undefined) throw corrupt(where, 'an objectness that no encoder writes');
  const order = rowOrder(codes);
  if (Math.max(classRows, boxRows, predictedRows) > order.length || predictedRows < classRows) {
    throw corrupt(where, `${Math.max(classRows, boxRows, predictedRows)} rows of ${order.length}`);
  }
  const reader = new SymbolReader(source, rowSymbols(shape), where);
  const means = readMeans(reader, shape);
  const weights = weightsOf(order, codes, levels);
  const scale = classScale(options.peaks);
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
  const decoded = new Float32Array(rows * no);
  fillWithMeans(shape, plan, decoded);
  for (let row = 0; row < rows; row++) {
    decoded[row * no + OBJECTNESS_COLUMN] = (levels[codes[row] ?? 0] ?? 0) / UNIT;
  }
  readRows(reader, shape, plan, decoded);
  reader.end();
  source.end();
  return decoded;
}

/** The dense map of objectness codes, row by row, each in a context made of the codes around it. */
import type { SymbolReader } from '../cache/codecs/symbol-reader.ts';
import type { SymbolShape, SymbolWriter } from '../cache/codecs/symbol-writer.ts';
import type { HeadShape } from './head-shape.ts';

/** Bounds of the classes into which sums of the codes around are sorted. */
const AROUND = [0, 1, 2, 3, 5, 7, 10, 14, 20, 28, 40, 56, 80, 112, 160] as const;
const AROUND_CLASSES = AROUND.length + 1;
/** Bounds of the classes of the predicted code. */
const PREDICTED = [1, 2, 3, 5, 8, 12, 20, 40] as const;
const PREDICTED_CLASSES = PREDICTED.length + 1;

/** Whether a code is 0 depends on what is around, and differs for the first anchor of a cell. */
export const MAP_SYMBOLS: SymbolShape = { flags: 2 * AROUND_CLASSES, numbers: PREDICTED_CLASSES, lanes: 1 };

const classTable = (bounds: readonly number[], size: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, value) => bounds.filter((bound) => value > bound).length);

const AROUND_CLASS = classTable(AROUND, 256);
const PREDICTED_CLASS = classTable(PREDICTED, 64);

/** Goes over the rows in order, with `codes` filled so far; `visit` returns the code of the row. */
function walk(
  { ny, nx, na }: HeadShape,
  codes: Int32Array,
  visit: (row: number, flagContext: number, predicted: number, numberContext: number) => number,
): void {
  const line = nx * na;
  for (let y = 0, row = 0; y < ny; y++) {
    for (let x = 0; x < nx; x++) {
      for (let a = 0; a < na; a++, row++) {
        let sum = 0;
        let weight = 0;
        const see = (at: number, times: number): void => {
          const code = codes[at] ?? 0;
          if (code === 0) return;
          sum += times * code;
          weight += times;
        };
        if (x > 0) see(row - na, 2);
        if (y > 0) {
          see(row - line, 2);
          if (x > 0) see(row - line - na, 1);
          if (x + 1 < nx) see(row - line + na, 1);
        }
        for (let b = 1; b <= a; b++) see(row - b, 2);
        for (let b = 1; b < na - a; b++) {
          if (x > 0) see(row - na + b, 1);
          if (y > 0) see(row - line + b, 1);
        }
        const flagContext = (AROUND_CLASS[Math.min(255, sum)] ?? 0) + (a === 0 ? AROUND_CLASSES : 0);
        const predicted = weight === 0 ? 1 : Math.floor(sum / weight);
        codes[row] = visit(row, flagContext, predicted, PREDICTED_CLASS[Math.min(63, predicted)] ?? 0);
      }
    }
  }
}

/** Writes the codes of all rows. */
export function writeMap(writer: SymbolWriter, shape: HeadShape, codes: Int32Array): void {
  walk(shape, codes, (row, flagContext, predicted, numberContext) => {
    const code = codes[row] ?? 0;
    writer.flag(0, flagContext, code > 0);
    if (code > 0) writer.number(0, numberContext, code - predicted);
    return code;
  });
}

/** Reads the codes of all rows; -1 stands for one that no encoder writes. */
export function readMap(reader: SymbolReader, shape: HeadShape): Int32Array {
  const codes = new Int32Array(shape.rows);
  walk(shape, codes, (_row, flagContext, predicted, numberContext) => {
    if (!reader.flag(0, flagContext)) return 0;
    const code = predicted + reader.number(0, numberContext);
    return code > 0 ? code : -1;
  });
  return codes;
}

/** One row of a YOLO label file, read and checked. Values are rounded to float32, as YOLOv5 v7.0 holds them. */
import type { BoxLabel } from './sample.ts';

/** What is wrong with a label file. */
export interface LabelProblem {
  /** 1-based; undefined when the fault is not in one line. */
  readonly line?: number;
  /** Where the file has no rows: which of its objects, in words. */
  readonly position?: string;
  /** `class-range`: the class index is a good one, but not below the number of classes. */
  readonly kind: 'malformed' | 'class-range';
  readonly message: string;
  readonly expected: string;
  readonly found: string;
}

/** The blank-separated columns of one line that is not blank. */
export interface LabelRow {
  readonly line: number;
  readonly columns: readonly string[];
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const COORDINATES = ['cx', 'cy', 'w', 'h'] as const;

const problem = (row: LabelRow, message: string, expected: string, found: string): LabelProblem => ({
  line: row.line,
  kind: 'malformed',
  message,
  expected,
  found,
});

function readClass(row: LabelRow, classes: number | undefined): number | LabelProblem {
  const text = row.columns[0] ?? '';
  const value = NUMBER.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value) || value < 0) {
    return problem(row, 'A class index that is no whole number >= 0.', 'a whole number >= 0', text);
  }
  if (classes !== undefined && value >= classes) {
    const expected =
      classes === 1 ? '0, as there is one class' : `0...${classes - 1}, as there are ${classes} classes`;
    const message = 'A class index beyond the class names of the data set.';
    return { line: row.line, kind: 'class-range', message, expected, found: text };
  }
  return value;
}

function readCoordinate(row: LabelRow, column: number, name: string): number | LabelProblem {
  const text = row.columns[column] ?? '';
  const value = NUMBER.test(text) ? Math.fround(Number(text)) : NaN;
  if (value >= 0 && value <= 1) return value;
  const message = Number.isNaN(value) ? `${name} is no number.` : `${name} lies outside the image.`;
  return problem(row, message, 'a number in 0...1, normalised by the image size', text);
}

/** Reads `class cx cy w h`. */
export function readBoxRow(row: LabelRow, classes: number | undefined): BoxLabel | LabelProblem {
  const n = row.columns.length;
  if (n !== 5) {
    return problem(row, 'A row of the wrong length.', '5 columns: class cx cy w h', `${n} columns`);
  }
  const classIndex = readClass(row, classes);
  if (typeof classIndex !== 'number') return classIndex;
  const values: number[] = [];
  for (const [i, name] of COORDINATES.entries()) {
    const value = readCoordinate(row, i + 1, name);
    if (typeof value !== 'number') return value;
    values.push(value);
  }
  const [cx = 0, cy = 0, w = 0, h = 0] = values;
  return { classIndex, cx, cy, w, h };
}

/** Reads `class x1 y1 x2 y2 ...` as the box around the polygon, in float32 steps. */
export function readPolygonRow(row: LabelRow, classes: number | undefined): BoxLabel | LabelProblem {
  const n = row.columns.length;
  if (n < 3 || n % 2 === 0) {
    const expected = 'a class and x y pairs, as other rows of this file are polygons';
    return problem(row, 'A polygon of the wrong length.', expected, `${n} columns`);
  }
  const classIndex = readClass(row, classes);
  if (typeof classIndex !== 'number') return classIndex;
  let [x1, y1, x2, y2] = [1, 1, 0, 0];
  for (let i = 1; i < n; i += 2) {
    const x = readCoordinate(row, i, 'x');
    if (typeof x !== 'number') return x;
    const y = readCoordinate(row, i + 1, 'y');
    if (typeof y !== 'number') return y;
    [x1, x2] = [Math.min(x1, x), Math.max(x2, x)];
    [y1, y2] = [Math.min(y1, y), Math.max(y2, y)];
  }
  const middle = (a: number, b: number): number => Math.fround(Math.fround(a + b) / 2);
  const w = Math.fround(x2 - x1);
  const h = Math.fround(y2 - y1);
  return { classIndex, cx: middle(x1, x2), cy: middle(y1, y2), w, h };
}

/** Predicts a row from the rows around it that are known already: they see the same thing. All in whole units. */
import type { HeadShape } from './head-shape.ts';
import { roundedQuotient } from './units.ts';

/** A row around: cells away, anchor, and how much it says. */
interface Around {
  readonly dy: number;
  readonly dx: number;
  readonly anchor: number;
  readonly weight: number;
}

/** Weights by distance in cells: in the same cell, side by side, diagonal. */
const SAME_ANCHOR = [0, 10, 1] as const;
const OTHER_ANCHOR = [30, 3, 0] as const;

function around(anchor: number, na: number): Around[] {
  const result: Around[] = [];
  for (let dy = -1; dy <= 1; dy++) {
    for (let dx = -1; dx <= 1; dx++) {
      for (let other = 0; other < na; other++) {
        const weight = (other === anchor ? SAME_ANCHOR : OTHER_ANCHOR)[Math.abs(dy) + Math.abs(dx)] ?? 0;
        if (weight > 0) result.push({ dy, dx, anchor: other, weight });
      }
    }
  }
  return result;
}

/** What is known of the rows: values by place, and the place of each row. */
export interface KnownRows {
  /** Place of a row, plus 1; 0 for one that is not known yet. */
  readonly places: Int32Array;
  /** Class values of places 0 to `classRows` - 1. */
  readonly classes: Int32Array;
  readonly classRows: number;
  /** Box logits of places 0 to `boxRows` - 1. */
  readonly boxes: Int32Array;
  readonly boxRows: number;
  /** Class values of a row with nothing around it, then box logits by anchor. */
  readonly means: Int32Array;
}

/** Nothing is known yet of a head whose rows will be, as `plan` says. */
export const unknownRows = (
  { rows, classes }: HeadShape,
  { classRows, boxRows, means }: Pick<KnownRows, 'classRows' | 'boxRows' | 'means'>,
): KnownRows => ({
  places: new Int32Array(rows),
  classes: new Int32Array(classRows * classes),
  boxes: new Int32Array(boxRows * 4),
  ...{ classRows, boxRows, means },
});

/** A row that may be looked at, and its weight. */
export interface RowAround {
  readonly row: number;
  readonly weight: number;
}

/** Returns the function that lists the rows whose classes say something of a row's, in a fixed order. */
export function rowsAround({ ny, nx, na }: HeadShape): (row: number) => RowAround[] {
  const byAnchor = Array.from({ length: na }, (_, anchor) => around(anchor, na));
  return (row) => {
    const cell = Math.floor(row / na);
    const y = Math.floor(cell / nx);
    const x = cell - y * nx;
    const result: RowAround[] = [];
    for (const { dy, dx, anchor, weight } of byAnchor[row - cell * na] ?? []) {
      if (y + dy < 0 || y + dy >= ny || x + dx < 0 || x + dx >= nx) continue;
      result.push({ row: (cell + dy * nx + dx) * na + anchor, weight });
    }
    return result;
  };
}

export class RowPrediction {
  /** Predicted class values of the last row asked for. */
  readonly classes: Int32Array;
  /** Predicted box logits. */
  readonly box = new Int32Array(4);

  private readonly shape: HeadShape;
  private readonly known: KnownRows;
  private readonly around: (row: number) => RowAround[];
  private readonly sums: Float64Array;

  constructor(shape: HeadShape, known: KnownRows) {
    this.shape = shape;
    this.known = known;
    this.around = rowsAround(shape);
    this.sums = new Float64Array(shape.classes);
    this.classes = new Int32Array(shape.classes);
  }

  /** Predicts the classes of `row` into `classes`; returns the number of rows that it could look at. */
  predictClasses(row: number): number {
    const { classes } = this.shape;
    const { places, classes: values, classRows, means } = this.known;
    const { sums, classes: predicted } = this;
    let seen = 0;
    let total = 0;
    for (const { row: other, weight } of this.around(row)) {
      const place = places[other] ?? 0;
      if (place === 0 || place > classRows) continue;
      const at = (place - 1) * classes;
      if (seen === 0) for (let c = 0; c < classes; c++) sums[c] = weight * (values[at + c] ?? 0);
      else for (let c = 0; c < classes; c++) sums[c] = (sums[c] ?? 0) + weight * (values[at + c] ?? 0);
      seen += 1;
      total += weight;
    }
    for (let c = 0; c < classes; c++) {
      predicted[c] = seen === 0 ? (means[c] ?? 0) : roundedQuotient(sums[c] ?? 0, total);
    }
    return seen;
  }

  /**
   * Predicts the box of `row` into `box`: its centre as that of the other anchors in the cell, its size as that of the
   * same anchor side by side. Returns 1 where there is a centre to look at, plus 2 where there is a size.
   */
  predictBox(row: number): number {
    const { ny, nx, na } = this.shape;
    const anchor = row % na;
    const cell = (row - anchor) / na;
    const y = Math.floor(cell / nx);
    const x = cell - y * nx;
    const inCell: number[] = [];
    for (let other = 0; other < na; other++) if (other !== anchor) inCell.push(cell * na + other);
    const beside: number[] = [];
    if (x > 0) beside.push(row - na);
    if (x + 1 < nx) beside.push(row + na);
    if (y > 0) beside.push(row - nx * na);
    if (y + 1 < ny) beside.push(row + nx * na);
    return this.averageBox(0, inCell, anchor) + 2 * this.averageBox(2, beside, anchor);
  }

  private averageBox(column: number, rows: readonly number[], anchor: number): number {
    const { places, boxes, boxRows, means } = this.known;
    let count = 0;
    let first = 0;
    let second = 0;
    for (const row of rows) {
      const place = places[row] ?? 0;
      if (place === 0 || place > boxRows) continue;
      const at = 4 * (place - 1) + column;
      count += 1;
      first += boxes[at] ?? 0;
      second += boxes[at + 1] ?? 0;
    }
    const mean = this.shape.classes + 4 * anchor + column;
    this.box[column] = count === 0 ? (means[mean] ?? 0) : roundedQuotient(first, count);
    this.box[column + 1] = count === 0 ? (means[mean + 1] ?? 0) : roundedQuotient(second, count);
    return count === 0 ? 0 : 1;
  }
}

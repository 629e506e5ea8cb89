/** The shape of one level's head of one view: [ny, nx, na, no], columns x, y, w, h, objectness, classes. */

/** Columns before the classes, and that of the objectness. */
export const CLASS_COLUMN = 5;
export const OBJECTNESS_COLUMN = 4;

export interface HeadShape {
  readonly ny: number;
  readonly nx: number;
  readonly na: number;
  /** 5 + number of classes. */
  readonly no: number;
  /** ny * nx * na: row (y * nx + x) * na + a. */
  readonly rows: number;
  readonly classes: number;
}

/** Most rows, cells of a line, and columns that a head may have. */
const MOST = 2 ** 24;

/** The shape as a head's; undefined for one that no head has. */
export function headShape(shape: readonly number[]): HeadShape | undefined {
  const [ny = 0, nx = 0, na = 0, no = 0] = shape;
  const rows = ny * nx * na;
  if (shape.length !== 4 || no < CLASS_COLUMN || rows > MOST) return undefined;
  return { ny, nx, na, no, rows, classes: no - CLASS_COLUMN };
}

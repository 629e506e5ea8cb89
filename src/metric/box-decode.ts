/**
 * Raw head logits to boxes, for one image (YOLOv5 v7.0 convention). With s the sigmoid, (gx, gy) the cell, (aw, ah)
 * the anchor in pixels:
 *
 *     cx = (2 s(tx) - 0.5 + gx) stride     w = (2 s(tw))^2 aw      obj   = s(to)
 *     cy = (2 s(ty) - 0.5 + gy) stride     h = (2 s(th))^2 ah      cls_c = s(tc)
 *
 * Evaluated in float64 and stored as float32: closer to the true value than float32 throughout.
 */
import { SoftshardError } from '../errors.ts';
import type { HeadSpec } from '../model/detector.ts';

/** One level's raw logits for ONE image, grid layout [ny, nx, na, no] float32 in C order. */
export interface HeadLevel {
  readonly data: Float32Array;
  readonly ny: number;
  readonly nx: number;
}

/** The logistic function, in float64. */
export const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));

function checkLevels(heads: readonly HeadLevel[], head: HeadSpec): void {
  if (heads.length !== head.strides.length) {
    throw new SoftshardError('E_INTERNAL', {
      message: 'The number of head outputs is not that of the head.',
      expected: `${head.strides.length} levels`,
      found: `${heads.length} levels`,
    });
  }
  heads.forEach(({ data, ny, nx }, level) => {
    const expected = ny * nx * head.na * head.no;
    if (data.length !== expected) {
      throw new SoftshardError('E_INTERNAL', {
        message: 'A head output has not the length that its grid demands.',
        expected: `${expected} values ([${ny}, ${nx}, ${head.na}, ${head.no}])`,
        found: `${data.length} values`,
        where: `level ${level}`,
      });
    }
  });
}

/** Calls `visit` for every cell and anchor in PyTorch's row order: level, then anchor, then y, then x. */
function eachCell(
  heads: readonly HeadLevel[],
  head: HeadSpec,
  visit: (level: number, anchor: number, y: number, x: number, offset: number) => void,
): void {
  heads.forEach(({ ny, nx }, level) => {
    for (let anchor = 0; anchor < head.na; anchor++) {
      for (let cell = 0; cell < ny * nx; cell++) {
        visit(level, anchor, Math.floor(cell / nx), cell % nx, (cell * head.na + anchor) * head.no);
      }
    }
  });
}

/** Writes the decoded row of the logits at `offset` of a level to `rows` at `at`. */
function decodeRow(
  { data }: HeadLevel,
  offset: number,
  cell: {
    readonly x: number;
    readonly y: number;
    readonly stride: number;
    readonly anchor: readonly number[];
  },
  rows: Float32Array,
  at: number,
  no: number,
): void {
  const s = (k: number): number => sigmoid(data[offset + k] ?? 0);
  rows[at] = (2 * s(0) - 0.5 + cell.x) * cell.stride;
  rows[at + 1] = (2 * s(1) - 0.5 + cell.y) * cell.stride;
  rows[at + 2] = (2 * s(2)) ** 2 * (cell.anchor[0] ?? 0);
  rows[at + 3] = (2 * s(3)) ** 2 * (cell.anchor[1] ?? 0);
  for (let k = 4; k < no; k++) rows[at + k] = s(k);
}

const cellOf = (head: HeadSpec, level: number, anchor: number, y: number, x: number) => ({
  x,
  y,
  stride: head.strides[level] ?? 0,
  anchor: head.anchors[level]?.[anchor] ?? [],
});

/**
 * Decodes every cell: float32 rows [N, no] of (cx, cy, w, h in pixels of the network input, obj, cls…), flattened.
 *
 * N = sum over levels of na·ny·nx, in PyTorch's row order: levels as given, inside a level anchor-major
 * (`a·ny·nx + y·nx + x`). Throws E_INTERNAL when the lengths do not fit the head.
 */
export function decodeHeads(heads: readonly HeadLevel[], head: HeadSpec): Float32Array {
  checkLevels(heads, head);
  const count = heads.reduce((sum, { ny, nx }) => sum + ny * nx * head.na, 0);
  const rows = new Float32Array(count * head.no);
  let at = 0;
  eachCell(heads, head, (level, anchor, y, x, offset) => {
    const data = heads[level];
    if (data !== undefined) decodeRow(data, offset, cellOf(head, level, anchor, y, x), rows, at, head.no);
    at += head.no;
  });
  return rows;
}

/** A cell and anchor of one image's heads; its logits begin at `offset` of its level's data. */
export interface HeadCell {
  readonly level: number;
  readonly anchor: number;
  readonly y: number;
  readonly x: number;
  readonly offset: number;
}

/**
 * The cells whose objectness exceeds `confThreshold` (0…1, compared as float32), in the order of `decodeHeads`. Throws
 * as it does.
 */
export function candidateCells(
  heads: readonly HeadLevel[],
  head: HeadSpec,
  confThreshold: number,
): HeadCell[] {
  checkLevels(heads, head);
  const threshold = Math.fround(confThreshold);
  const kept: HeadCell[] = [];
  eachCell(heads, head, (level, anchor, y, x, offset) => {
    if (Math.fround(sigmoid(heads[level]?.data[offset + 4] ?? -Infinity)) > threshold) {
      kept.push({ level, anchor, y, x, offset });
    }
  });
  return kept;
}

/** Decodes `cells` alone: float32 rows [cells, no], flattened, as `decodeHeads` has them. */
export function decodeCells(
  heads: readonly HeadLevel[],
  head: HeadSpec,
  cells: readonly HeadCell[],
): Float32Array {
  const rows = new Float32Array(cells.length * head.no);
  cells.forEach(({ level, anchor, y, x, offset }, row) => {
    const data = heads[level];
    if (data === undefined) return;
    decodeRow(data, offset, cellOf(head, level, anchor, y, x), rows, row * head.no, head.no);
  });
  return rows;
}

/**
 * Decodes only the cells whose objectness exceeds `confThreshold` (0…1, compared as float32): the rows of
 * `decodeHeads` that non-maximum suppression would keep in its first step, in the same order, float32 [M, no].
 *
 * The objectness is tested first, so an image costs its cells plus its candidates' classes. Throws as `decodeHeads`.
 */
export const candidates = (
  heads: readonly HeadLevel[],
  head: HeadSpec,
  confThreshold: number,
): Float32Array => decodeCells(heads, head, candidateCells(heads, head, confThreshold));

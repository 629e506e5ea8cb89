/**
 * Assigns labels to cells and anchors (YOLOv5 v7.0 convention): every anchor whose shape is near enough, in the
 * label's cell and in the up to two neighbour cells that its centre is nearest to. No best-anchor rule.
 *
 * Everything is computed in float32, so that the rows are those of a float32 implementation, order included.
 */
import { SoftshardError } from '../errors.ts';
import type { HeadSpec } from '../model/detector.ts';

/** Cells of one level. */
export interface GridSize {
  readonly ny: number;
  readonly nx: number;
}

/** The rows of one level, as parallel arrays of length `count`. */
export interface AssignedRows {
  readonly count: number;
  /** Image in the batch, anchor, and cell row and column (inside the grid). */
  readonly image: Int32Array;
  readonly anchor: Int32Array;
  readonly gridY: Int32Array;
  readonly gridX: Int32Array;
  /** [count, 4]: centre relative to the cell (-0.5...1.5), width and height; grid units. */
  readonly box: Float32Array;
  /** [count, 2]: the matched anchor's width and height, grid units. */
  readonly anchorSize: Float32Array;
  readonly classIndex: Int32Array;
  /** Row of `labels` that was assigned. */
  readonly label: Int32Array;
}

/** A label that fits an anchor of the level; coordinates in grid units. */
interface Match {
  readonly label: number;
  readonly image: number;
  readonly classIndex: number;
  readonly anchor: number;
  readonly aw: number;
  readonly ah: number;
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

const { fround } = Math;
const fraction = (value: number): number => fround(value - Math.floor(value));

/** Whether no side is `threshold` times its anchor's or more, nor the other way round. */
function fits(w: number, h: number, aw: number, ah: number, threshold: number): boolean {
  const rw = fround(w / aw);
  const rh = fround(h / ah);
  return Math.max(rw, fround(1 / rw), rh, fround(1 / rh)) < threshold;
}

/** Where a centre leans over to: the offset that is subtracted before truncation, and the test for it. */
const NEIGHBOURS: readonly {
  readonly dx: number;
  readonly dy: number;
  readonly takes: (match: Match, grid: GridSize) => boolean;
}[] = [
  { dx: 0, dy: 0, takes: () => true },
  { dx: 0.5, dy: 0, takes: ({ x }) => leans(x) },
  { dx: 0, dy: 0.5, takes: ({ y }) => leans(y) },
  { dx: -0.5, dy: 0, takes: ({ x }, { nx }) => leans(fround(nx - x)) },
  { dx: 0, dy: -0.5, takes: ({ y }, { ny }) => leans(fround(ny - y)) },
];

/** Nearer to the lower border of its cell than to the upper one, with another cell beyond that border. */
function leans(value: number): boolean {
  return fraction(value) < 0.5 && value > 1;
}

function matchesOf(
  labels: Float32Array,
  anchors: readonly (readonly [number, number])[],
  stride: number,
  { ny, nx }: GridSize,
  threshold: number,
): Match[] {
  const matches: Match[] = [];
  anchors.forEach(([pixelsW, pixelsH], anchor) => {
    const aw = fround(pixelsW / stride);
    const ah = fround(pixelsH / stride);
    for (let i = 0; i + 6 <= labels.length; i += 6) {
      const [image = 0, classIndex = 0, cx = 0, cy = 0, lw = 0, lh = 0] = labels.subarray(i, i + 6);
      const w = fround(lw * nx);
      const h = fround(lh * ny);
      if (!fits(w, h, aw, ah, threshold)) continue;
      matches.push({
        label: i / 6,
        image,
        classIndex,
        anchor,
        aw,
        ah,
        x: fround(cx * nx),
        y: fround(cy * ny),
        w,
        h,
      });
    }
  });
  return matches;
}

function rowsOf(matches: readonly Match[], grid: GridSize): AssignedRows {
  const taken = NEIGHBOURS.flatMap(({ dx, dy, takes }) =>
    matches
      .filter((match) => takes(match, grid))
      .map((match) => ({ match, x: Math.trunc(fround(match.x - dx)), y: Math.trunc(fround(match.y - dy)) })),
  );
  return {
    count: taken.length,
    image: Int32Array.from(taken, ({ match }) => match.image),
    anchor: Int32Array.from(taken, ({ match }) => match.anchor),
    gridY: Int32Array.from(taken, ({ y }) => Math.min(Math.max(y, 0), grid.ny - 1)),
    gridX: Int32Array.from(taken, ({ x }) => Math.min(Math.max(x, 0), grid.nx - 1)),
    // The box keeps the cell before it was clamped into the grid.
    box: Float32Array.from(taken.flatMap(({ match: m, x, y }) => [m.x - x, m.y - y, m.w, m.h])),
    anchorSize: Float32Array.from(taken.flatMap(({ match }) => [match.aw, match.ah])),
    classIndex: Int32Array.from(taken, ({ match }) => match.classIndex),
    label: Int32Array.from(taken, ({ match }) => match.label),
  };
}

/**
 * The rows of every level, in the order: by neighbour (own cell, left, above, right, below), then by anchor, then by
 * label.
 *
 * `labels` is [T,6] flattened: image, class, cx, cy, w, h, normalised to the network's input. `grids` has one size a
 * level of `head`. A label fits an anchor when no side ratio reaches `threshold` (4 by default).
 * Throws E_LOSS when `grids` and the head's levels differ in number or `labels` is not made of rows of six.
 */
export function assignTargets(
  labels: Float32Array,
  head: Pick<HeadSpec, 'anchors' | 'strides'>,
  grids: readonly GridSize[],
  threshold = 4,
): AssignedRows[] {
  if (labels.length % 6 !== 0) {
    throw new SoftshardError('E_LOSS', {
      message: 'Labels must come as rows of six numbers.',
      expected: 'a multiple of 6 values (image, class, cx, cy, w, h)',
      found: `${labels.length} values`,
    });
  }
  return grids.map((grid, level) => {
    const anchors = head.anchors[level];
    const stride = head.strides[level];
    if (anchors === undefined || stride === undefined) {
      throw new SoftshardError('E_LOSS', {
        message: 'There are more head tensors than levels in the head.',
        expected: `${head.strides.length} levels`,
        found: `${grids.length} head tensors`,
      });
    }
    return rowsOf(matchesOf(labels, anchors, stride, grid, threshold), grid);
  });
}

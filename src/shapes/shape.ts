/** The shapes of the demo's pictures, and the tight boxes around what of them is visible. */

export const SHAPE_CLASSES = ['circle', 'square', 'triangle'] as const;
export type ShapeClass = (typeof SHAPE_CLASSES)[number];

export type Point = readonly [x: number, y: number];
export type Colour = readonly [red: number, green: number, blue: number];

/** One shape; lengths in pixels, x to the right and y down. */
export interface Shape {
  readonly kind: ShapeClass;
  readonly centre: Point;
  /** Circle: radius; others: distance from the centre to a corner. */
  readonly radius: number;
  /** Radians; without meaning for a circle. */
  readonly angle: number;
  /** 0…255. */
  readonly colour: Colour;
}

/** Pixels: left, top, right, bottom. */
export type Edges = readonly [x1: number, y1: number, x2: number, y2: number];

/** Corners of a square or triangle, in order; none for a circle. */
export function corners({ kind, centre: [x, y], radius, angle }: Shape): readonly Point[] {
  if (kind === 'circle') return [];
  const count = kind === 'square' ? 4 : 3;
  return Array.from({ length: count }, (_, i): Point => {
    const turn = angle + (2 * Math.PI * i) / count;
    return [x + radius * Math.cos(turn), y + radius * Math.sin(turn)];
  });
}

/** The part of a polygon on one side of an edge of the image (Sutherland and Hodgman 1974). */
function clipSide(points: readonly Point[], axis: 0 | 1, limit: number, keep: 1 | -1): Point[] {
  const inside = (p: Point): boolean => keep * (p[axis] - limit) >= 0;
  return points.flatMap((p, i) => {
    const before = points[(i + points.length - 1) % points.length] ?? p;
    const t = (limit - before[axis]) / (p[axis] - before[axis]);
    const crossing: Point = [before[0] + t * (p[0] - before[0]), before[1] + t * (p[1] - before[1])];
    return [...(inside(p) === inside(before) ? [] : [crossing]), ...(inside(p) ? [p] : [])];
  });
}

const around = (points: readonly Point[]): Edges => {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
};

/** The tight box around the part of a shape inside a square image of `side` pixels. The centre must lie inside. */
export function visibleBox(shape: Shape, side: number): Edges {
  const {
    centre: [x, y],
    radius,
  } = shape;
  if (shape.kind === 'circle')
    return [
      Math.max(0, x - radius),
      Math.max(0, y - radius),
      Math.min(side, x + radius),
      Math.min(side, y + radius),
    ];
  let points = corners(shape);
  for (const axis of [0, 1] as const) {
    points = clipSide(points, axis, 0, 1);
    points = clipSide(points, axis, side, -1);
  }
  return around(points);
}

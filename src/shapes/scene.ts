/** Draws what a picture of the demo shows: a background and up to five shapes. */
import { drawKey, integerBelow, uniform } from '../random/keyed.ts';
import { SHAPE_CLASSES, visibleBox, type Colour, type Edges, type Point, type Shape } from './shape.ts';

/** One picture as data. */
export interface Scene {
  /** Pixels a side. */
  readonly side: number;
  /** Colours of the gradient's two ends. */
  readonly background: readonly [Colour, Colour];
  /** Direction of the gradient, degrees. */
  readonly direction: number;
  /** Largest change of a pixel's channel by noise, 0…255. */
  readonly noise: number;
  /** From the back to the front. */
  readonly shapes: readonly Shape[];
}

const MOST_SHAPES = 5;
const TRIES = 24;
/** Radius as a share of the side: 6 to 21 pixels of 96. */
const [SMALLEST, LARGEST] = [0.065, 0.22];
/** Most of a shape's box that one in front of it may cover. */
const MOST_COVERED = 0.4;
/** Least contrast between a shape and either end of the background, summed over the channels. */
const LEAST_CONTRAST = 90;

const contrast = (a: Colour, b: Colour): number =>
  Math.abs(a[0] - b[0]) + Math.abs(a[1] - b[1]) + Math.abs(a[2] - b[2]);

/** Share of `back` that `front` covers. */
function covered(back: Edges, front: Edges): number {
  const width = Math.min(back[2], front[2]) - Math.max(back[0], front[0]);
  const height = Math.min(back[3], front[3]) - Math.max(back[1], front[1]);
  if (width <= 0 || height <= 0) return 0;
  return (width * height) / ((back[2] - back[0]) * (back[3] - back[1]));
}

/** The scene of picture `index` of a split; a pure function of its arguments. */
export function drawScene(seed: number, split: string, index: number, side: number): Scene {
  const key = drawKey(seed, `shapes-${split}`, index);
  let used = 0;
  const between = (low: number, high: number): number => uniform(key, used++, low, high);
  const below = (n: number): number => integerBelow(key, used++, n);
  const colour = (): Colour => [below(256), below(256), below(256)];

  const background: [Colour, Colour] = [colour(), colour()];
  const direction = between(0, 360);
  const noise = between(5, 45);
  const wanted = 1 + below(MOST_SHAPES);
  const shapes: Shape[] = [];
  for (let attempt = 0; attempt < TRIES && shapes.length < wanted; attempt++) {
    const kind = SHAPE_CLASSES[below(SHAPE_CLASSES.length)] ?? 'circle';
    const radius = between(SMALLEST, LARGEST) * side;
    // Up to a third of the radius may lie outside.
    const margin = radius * 0.67;
    const centre: Point = [between(margin, side - margin), between(margin, side - margin)];
    const shape: Shape = { kind, centre, radius, angle: between(0, 2 * Math.PI), colour: colour() };
    const box = visibleBox(shape, side);
    const hides = shapes.some((other) => covered(visibleBox(other, side), box) > MOST_COVERED);
    const visible = background.every((end) => contrast(end, shape.colour) >= LEAST_CONTRAST);
    if (!hides && visible) shapes.push(shape);
  }
  return { side, background, direction, noise, shapes };
}

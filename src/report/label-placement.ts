/** Where the small texts of boxes go, so that they cover each other as little as can be. */
import type { Box } from '../metric/box.ts';

/** A text to place: its size and the box it belongs to, pixels. `preferred` 0…3 names the corner to try first. */
export interface LabelWish {
  readonly box: Box;
  readonly width: number;
  readonly height: number;
  readonly preferred: number;
}

const sharedArea = (a: Box, b: Box): number =>
  Math.max(0, Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1)) *
  Math.max(0, Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1));

/** Above left, below left, above right, below right; then the same inside the box. */
function places({ box, width, height, preferred }: LabelWish): Box[] {
  const rectangle = (x: number, y: number): Box => ({ x1: x, y1: y, x2: x + width, y2: y + height });
  const right = box.x2 - width;
  const outside = [
    rectangle(box.x1, box.y1 - height),
    rectangle(box.x1, box.y2),
    rectangle(right, box.y1 - height),
    rectangle(right, box.y2),
  ];
  const inside = [
    rectangle(box.x1, box.y1),
    rectangle(box.x1, box.y2 - height),
    rectangle(right, box.y1),
    rectangle(right, box.y2 - height),
  ];
  const from = (list: Box[]): Box[] => [...list.slice(preferred), ...list.slice(0, preferred)];
  return [...from(outside), ...from(inside)];
}

/** Moves a rectangle into the frame, as far as it fits. */
function inside(rectangle: Box, frame: Box): Box {
  const dx = Math.max(frame.x1 - Math.min(rectangle.x1, frame.x2 - (rectangle.x2 - rectangle.x1)), 0);
  const dy = Math.max(frame.y1 - Math.min(rectangle.y1, frame.y2 - (rectangle.y2 - rectangle.y1)), 0);
  const x1 = Math.min(rectangle.x1, frame.x2 - (rectangle.x2 - rectangle.x1)) + dx;
  const y1 = Math.min(rectangle.y1, frame.y2 - (rectangle.y2 - rectangle.y1)) + dy;
  return { x1, y1, x2: x1 + rectangle.x2 - rectangle.x1, y2: y1 + rectangle.y2 - rectangle.y1 };
}

/** A label that would have to cover more of the others than this share of itself is left out. */
const CROWDED = 0.35;

/**
 * One rectangle a wish, in order, all inside `frame`: of each label's places the one that covers least of the labels
 * so far, then least of the boxes. Undefined where it would cover too much.
 */
export function placeLabels(wishes: readonly LabelWish[], frame: Box): (Box | undefined)[] {
  const placed: Box[] = [];
  return wishes.map((wish) => {
    let best: Box | undefined;
    let [least, leastHidden] = [CROWDED * wish.width * wish.height, Infinity];
    for (const place of places(wish).map((rectangle) => inside(rectangle, frame))) {
      const cover = placed.reduce((sum, other) => sum + sharedArea(place, other), 0);
      const hidden = wishes.reduce((sum, { box }) => sum + sharedArea(place, box), 0);
      if (cover < least || (cover === least && hidden < leastHidden)) {
        [best, least, leastHidden] = [place, cover, hidden];
      }
    }
    if (best !== undefined) placed.push(best);
    return best;
  });
}

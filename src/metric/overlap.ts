/** Intersection over union of two boxes, in the float32 arithmetic of the reference implementation. */
import type { Box } from './box.ts';

const f = Math.fround;

/** Area of a box as float32: width times height, each rounded. Negative sides give what they give. */
export const boxArea = (box: Box): number => f(f(box.x2 - box.x1) * f(box.y2 - box.y1));

/**
 * Intersection over union, 0…1, as float32: `inter / (areaA + areaB - inter + epsilon)`.
 *
 * `epsilon` is 0 in non-maximum suppression (two boxes without area give NaN, which exceeds no threshold) and 1e-7
 * in matching, as in YOLOv5 v7.0. Coordinates must already be float32 values for the result to be the reference's.
 */
export function overlap(a: Box, b: Box, epsilon = 0): number {
  const w = f(Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1));
  const h = f(Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1));
  const inter = w > 0 && h > 0 ? f(w * h) : 0;
  const union = f(f(boxArea(a) + boxArea(b)) - inter);
  return f(inter / (epsilon === 0 ? union : f(union + f(epsilon))));
}

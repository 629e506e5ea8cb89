/** Between normalised labels (centre and size, 0…1) and pixel boxes (corners). */
import type { BoxLabel } from '../data/sample.ts';
import type { Size, TrueBox } from './box.ts';

/**
 * Pixel corners of normalised labels: `x1 = width·(cx - w/2) + padX`, and so on; float32 values.
 *
 * `size` is that of the picture the labels refer to (after resizing, without padding); the pads, 0 by default, shift
 * the boxes onto a padded canvas.
 */
export function labelBoxes(labels: readonly BoxLabel[], size: Size, padX = 0, padY = 0): TrueBox[] {
  const f = Math.fround;
  return labels.map(({ classIndex, cx, cy, w, h }) => ({
    classIndex,
    x1: f(size.width * (cx - w / 2) + padX),
    y1: f(size.height * (cy - h / 2) + padY),
    x2: f(size.width * (cx + w / 2) + padX),
    y2: f(size.height * (cy + h / 2) + padY),
  }));
}

/** Normalised labels of pixel boxes, first clipped to [0, width - 0.001] and [0, height - 0.001]; float64. */
export function boxLabels(boxes: readonly TrueBox[], size: Size): BoxLabel[] {
  const clip = (value: number, limit: number): number => Math.min(Math.max(value, 0), limit - 1e-3);
  return boxes.map((box) => {
    const [x1, x2] = [clip(box.x1, size.width), clip(box.x2, size.width)];
    const [y1, y2] = [clip(box.y1, size.height), clip(box.y2, size.height)];
    return {
      classIndex: box.classIndex,
      cx: (x1 + x2) / 2 / size.width,
      cy: (y1 + y2) / 2 / size.height,
      w: (x2 - x1) / size.width,
      h: (y2 - y1) / size.height,
    };
  });
}

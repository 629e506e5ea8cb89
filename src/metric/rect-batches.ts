/** Batches of images of like shape, so that little of a batch is padding (YOLOv5 v7.0 convention). */
import type { Size } from './box.ts';

export interface RectOptions {
  /** Images a batch, >= 1. */
  readonly batchSize: number;
  /** The longer side of the network's input before padding, pixels. */
  readonly imageSize: number;
  /** Both sides are multiples of it, pixels. 32 by default. */
  readonly stride?: number;
  /** Extra room in strides, added before rounding up: 0.5 (the default) in validation, 0 in training. */
  readonly pad?: number;
}

export interface RectBatch extends Size {
  /** Positions of its images in the list given. */
  readonly indices: readonly number[];
}

/**
 * Sorts images by aspect ratio (height / width of the original, ascending, stable), cuts them into batches, and
 * gives each the smallest shape that all its images fit, plus the pad.
 */
export function rectBatches(sizes: readonly Size[], options: RectOptions): RectBatch[] {
  const { batchSize, imageSize, stride = 32, pad = 0.5 } = options;
  const ratios = sizes.map(({ width, height }) => height / width);
  const order = ratios.map((_, i) => i).sort((a, b) => (ratios[a] ?? 0) - (ratios[b] ?? 0));
  const side = (factor: number): number => Math.ceil((factor * imageSize) / stride + pad) * stride;
  const batches: RectBatch[] = [];
  for (let start = 0; start < order.length; start += batchSize) {
    const indices = order.slice(start, start + batchSize);
    const lowest = ratios[indices[0] ?? 0] ?? 1;
    const highest = ratios[indices.at(-1) ?? 0] ?? 1;
    batches.push({
      indices,
      height: side(highest < 1 ? highest : 1),
      width: side(lowest > 1 ? 1 / lowest : 1),
    });
  }
  return batches;
}

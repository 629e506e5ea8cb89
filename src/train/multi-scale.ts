/** Training at changing sizes: each batch is resized before the forward pass. */
import * as tf from '@tensorflow/tfjs-core';
import { drawKey, integerBelow } from '../random/keyed.ts';

/** What the draws are for. */
export const MULTI_SCALE_PURPOSE = 'multi-scale';

export interface MultiScaleOptions {
  /** Side that the run asks for, pixels. */
  readonly imageSize: number;
  /** Sizes are multiples of it: the model's largest stride, at least 32. */
  readonly stride: number;
  readonly seed: number;
}

/** The longer side that iteration `iteration` (0-based) trains at: a multiple of the stride in 0.5 to 1.5 sizes. */
export function scaledSide({ imageSize, stride, seed }: MultiScaleOptions, iteration: number): number {
  const from = Math.trunc(imageSize * 0.5);
  const to = Math.trunc(imageSize * 1.5) + stride;
  const drawn = from + integerBelow(drawKey(seed, MULTI_SCALE_PURPOSE, 0, iteration), 0, to - from);
  return Math.max(stride, Math.floor(drawn / stride) * stride);
}

/**
 * x [B,H,W,C] so that its longer side is about `side`, bilinear with half-pixel centres (PyTorch's align_corners
 * false), both sides rounded up to multiples of `stride`; x itself where nothing changes. The caller disposes.
 */
export function resizeBatch(x: tf.Tensor4D, side: number, stride: number): tf.Tensor4D {
  const [, height, width] = x.shape;
  const factor = side / Math.max(height, width);
  if (factor === 1) return x;
  const size = [height, width].map((v) => Math.ceil((v * factor) / stride) * stride) as [number, number];
  return tf.image.resizeBilinear(x, size, false, true);
}

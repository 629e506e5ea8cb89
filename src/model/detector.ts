/** What losses, evaluation and stages know of a detection model. */
import type { Tensor4D, Tensor5D } from '@tensorflow/tfjs-core';

/** The static description of a detection head. */
export interface HeadSpec {
  readonly nc: number;
  /** Anchors per cell. */
  readonly na: number;
  /** nc + 5. */
  readonly no: number;
  /** Pixels per cell, one a level, ascending (8, 16, 32). */
  readonly strides: readonly number[];
  /** Anchor sizes in PIXELS, [level][anchor] = [w, h]. */
  readonly anchors: readonly (readonly (readonly [number, number])[])[];
  readonly names: readonly string[];
}

/**
 * Output of one forward pass. Heads are raw logits in grid layout [B, ny, nx, na, no] float32, one a level
 * (the reshape of the NHWC convolution; PyTorch's [B, na, ny, nx, no] is its transpose (0,3,1,2,4)).
 * Features are NHWC outputs of the layers asked for. The caller disposes all of them.
 */
export interface Forward {
  readonly heads: readonly Tensor5D[];
  readonly features: ReadonlyMap<number, Tensor4D>;
}

/** What losses, evaluation and stages know of a model: a detector, or a classifier, whose head is one cell. */
import type { Tensor4D, Tensor5D } from '@tensorflow/tfjs-core';

/** The static description of a head. */
export interface HeadSpec {
  /** Set for a classifier: one level of one cell with one row of class logits, and no anchors. */
  readonly task?: 'classify' | undefined;
  readonly nc: number;
  /** Anchors per cell. */
  readonly na: number;
  /** nc + 5; nc for a classifier. */
  readonly no: number;
  /** Pixels per cell, one a level, ascending (8, 16, 32); for a classifier, of the feature before the mean. */
  readonly strides: readonly number[];
  /** Anchor sizes in PIXELS, [level][anchor] = [w, h]. */
  readonly anchors: readonly (readonly (readonly [number, number])[])[];
  readonly names: readonly string[];
}

/**
 * Output of one forward pass. Heads are raw logits in grid layout [B, ny, nx, na, no] float32, one a level
 * (the reshape of the NHWC convolution; PyTorch's [B, na, ny, nx, no] is its transpose (0,3,1,2,4)); a classifier's
 * logits are one head [B, 1, 1, 1, nc].
 * Features are NHWC outputs of the layers asked for. The caller disposes all of them.
 */
export interface Forward {
  readonly heads: readonly Tensor5D[];
  readonly features: ReadonlyMap<number, Tensor4D>;
}

/** Whether a head is a classifier's. */
export const isClassifier = ({ task }: Pick<HeadSpec, 'task'>): boolean => task === 'classify';

/** The one form of every loss: `(student, target, context) => { term: Scalar }`. */
import type { Scalar, Tensor, Tensor4D, Tensor5D } from '@tensorflow/tfjs-core';
import type { EngineOps } from '../engine/engine.ts';
import type { Forward, HeadSpec } from '../model/detector.ts';

/** Gains of the loss after scaling by number of levels, classes and image size (see `scaleGains`). */
export interface Gains {
  readonly box: number;
  readonly obj: number;
  readonly cls: number;
}

/** What the teacher said about a batch, in the student's layout. */
export interface TeacherTarget {
  /** Raw logits in grid layout [B, ny, nx, na, no], one a level. */
  readonly heads?: readonly Tensor5D[];
  /**
   * Host copy of the heads' objectness logits, one flat array [B * ny * nx * na] a level in the heads' order. With
   * it no loss reads anything back from the device; without it the ones that need it read the heads.
   */
  readonly teacherObjectness?: readonly Float32Array[];
  /**
   * The teacher's detections after non-maximum suppression, on the host: rows (image in batch, class, cx, cy, w, h,
   * class logits), boxes normalised, float32 [R, 6 + nc] flattened (see `pseudoLabels`).
   */
  readonly rows?: Float32Array;
  /** NHWC features by teacher layer index. */
  readonly features?: ReadonlyMap<number, Tensor4D>;
}

/** What a batch offers to learn from. Nothing here takes a gradient. */
export interface LossTarget {
  /** Rows (image in batch, class, cx, cy, w, h), normalised, float32 [T,6] flattened. */
  readonly labels: Float32Array;
  /** labelled[i] is false where image i has no annotation: such images get no hard loss. Length B. */
  readonly labelled: readonly boolean[];
  /** The teacher's answers for the same views; undefined without a teacher. */
  readonly teacher?: TeacherTarget;
}

export interface LossContext {
  readonly ops: EngineOps;
  readonly head: HeadSpec;
  readonly gains: Gains;
  /** Passes a student feature through the named trained adapter; identity when the adapter is `none`. */
  adapt(pair: string, feature: Tensor4D): Tensor4D;
  /** A trained tensor that `hintParameters` names for the pair, in the engine's layout; undefined where none is. */
  parameter?(pair: string, part: string): Tensor | undefined;
  /** What random masks are drawn from; seed 0 and iteration 0 by default. */
  readonly draw?: { readonly seed: number; readonly iteration: number };
}

/** Named scalars, unweighted and per image (not multiplied by the batch size). The caller disposes them. */
export type LossTerms = Readonly<Record<string, Scalar>>;

export type Loss = (student: Forward, target: LossTarget, context: LossContext) => LossTerms;

/** FGD, focal and global distillation (Yang et al. 2022). */
import * as tf from '@tensorflow/tfjs-core';
import { withGradient } from '../../engine/custom-gradient.ts';
import type { FocalMasks } from './box-cells.ts';
import { contextBlock, type ContextParameters } from './global-context.ts';

/** Weights of the four terms and the temperature of the attention maps. */
export interface FocalGlobalOptions {
  /** Of the foreground, 1e-3 in the paper for one-stage detectors. */
  readonly alpha: number;
  /** Of the background, 5e-4. */
  readonly beta: number;
  /** Of the attention maps, 1e-3. */
  readonly gamma: number;
  /** Of the relations between pixels, 5e-6; 0 leaves the trained context blocks out. */
  readonly lambda: number;
  /** Divides the mean magnitudes before the softmax, 0.5. */
  readonly temperature: number;
}

/** |x|, whose gradient at 0 is 0. */
const magnitude = <T extends tf.Tensor>(x: T): T =>
  withGradient<T>([x], (save) => {
    save(x);
    return { value: tf.abs<T>(x), gradient: (dy, [saved]) => [tf.mul(dy, tf.sign(saved as T))] };
  });

/** Attention over pixels [B,HW] and over channels [B,C], each with mean 1. Differentiable. */
function attention(
  feature: tf.Tensor4D,
  temperature: number,
): { pixels: tf.Tensor2D; channels: tf.Tensor2D } {
  const [b, h, w, c] = feature.shape;
  const size = magnitude(tf.reshape<tf.Rank.R3>(feature, [b, h * w, c]));
  const shares = (means: tf.Tensor, count: number): tf.Tensor2D =>
    tf.mul(tf.softmax(tf.reshape<tf.Rank.R2>(tf.mul(means, 1 / temperature), [b, count])), count);
  return { pixels: shares(tf.mean(size, 2), h * w), channels: shares(tf.mean(size, 1), c) };
}

/** Sum of weights * (student - teacher)^2; differentiable in `student`. */
const weightedSquares = (student: tf.Tensor4D, teacher: tf.Tensor4D, weights: tf.Tensor4D): tf.Scalar =>
  withGradient<tf.Scalar>([student], (save) => {
    const difference = tf.sub<tf.Tensor4D>(student, teacher);
    const weighted = tf.mul<tf.Tensor4D>(difference, weights);
    save(weighted);
    return {
      value: tf.sum(tf.sum(tf.sum(tf.mul(difference, weighted), 3), 2)),
      gradient: (dy, [saved]) => [tf.mul(saved as tf.Tensor4D, tf.mul(dy, 2))],
    };
  });

/** The parts of FGD, unweighted and per image. */
export interface FocalGlobalTerms {
  readonly foreground: tf.Scalar;
  readonly background: tf.Scalar;
  readonly attention: tf.Scalar;
}

/**
 * The focal terms of two maps [B,H,W,C]: foreground and background, sum over pixels and channels of
 * M S C (t - s)^2, S and C the teacher's attention over pixels and channels; and attention, the sum of the absolute
 * differences of both maps. Each divided by B. Differentiable in `student`; S and C of the teacher are constants.
 */
export function focalTerms(
  student: tf.Tensor4D,
  teacher: tf.Tensor4D,
  { foreground, background }: FocalMasks,
  temperature: number,
): FocalGlobalTerms {
  const [b, h, w, c] = student.shape;
  const own = attention(student, temperature);
  const theirs = attention(teacher, temperature);
  const weights = tf.mul<tf.Tensor4D>(
    tf.reshape(theirs.pixels, [b, h, w, 1]),
    tf.reshape(theirs.channels, [b, 1, 1, c]),
  );
  const focal = (mask: tf.Tensor4D): tf.Scalar =>
    tf.div(weightedSquares(student, teacher, tf.mul(weights, mask)), b);
  const apart = (s: tf.Tensor2D, t: tf.Tensor2D): tf.Scalar => tf.sum(tf.sum(magnitude(tf.sub(s, t)), 1));
  return {
    foreground: focal(foreground),
    background: focal(background),
    attention: tf.div(
      tf.add<tf.Scalar>(apart(own.pixels, theirs.pixels), apart(own.channels, theirs.channels)),
      b,
    ),
  };
}

/** The trained context blocks of student and teacher. */
export interface ContextBlocks {
  readonly student: ContextParameters;
  readonly teacher: ContextParameters;
}

/** Sum of (R(teacher) - R(student))^2 / B, R the trained context blocks. Differentiable in student and blocks. */
export function relationTerm(student: tf.Tensor4D, teacher: tf.Tensor4D, blocks: ContextBlocks): tf.Scalar {
  const difference = tf.sub<tf.Tensor4D>(
    contextBlock(student, blocks.student),
    contextBlock(teacher, blocks.teacher),
  );
  return tf.div(tf.sum(tf.sum(tf.sum(tf.square(difference), 3), 2)), student.shape[0]);
}

/**
 * alpha foreground + beta background + gamma attention + lambda relation of two maps [B,H,W,C], per image. The sums
 * run over pixels and channels, so that the paper's weights fit maps of 256 channels and a hard loss of order 1: see
 * that the whole is 10 to 30 % of the hard loss. `blocks` are needed where lambda > 0.
 */
export function focalGlobal(
  student: tf.Tensor4D,
  teacher: tf.Tensor4D,
  masks: FocalMasks,
  options: FocalGlobalOptions,
  blocks: ContextBlocks | undefined,
): tf.Scalar {
  const { alpha, beta, gamma, lambda, temperature } = options;
  const terms = focalTerms(student, teacher, masks, temperature);
  return tf.addN([
    tf.mul<tf.Scalar>(terms.foreground, alpha),
    tf.mul<tf.Scalar>(terms.background, beta),
    tf.mul<tf.Scalar>(terms.attention, gamma),
    ...(blocks === undefined ? [] : [tf.mul<tf.Scalar>(relationTerm(student, teacher, blocks), lambda)]),
  ]);
}

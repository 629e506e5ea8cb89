import * as tf from '@tensorflow/tfjs-core';
import { withGradient } from '../engine/custom-gradient.ts';
import type { EngineOps } from '../engine/engine.ts';

export interface BinaryCrossEntropyOptions {
  /** Weight of the positive part; 1 by default. */
  readonly positiveWeight?: number;
  /** Focusing exponent; 0 (no focusing) by default. */
  readonly focalGamma?: number;
}

/** Share of the positives in focal loss. */
const FOCAL_ALPHA = 0.25;
/** Keeps (1 - p)^(gamma - 1) finite for gamma < 1. */
const TINY = 1e-12;

/**
 * Elementwise binary cross entropy of logits x with targets t in 0...1, without reduction:
 * (1 - t) x + (1 + (w - 1) t) ln(1 + e^-x), w = `positiveWeight`; times a_t (1 - p_t)^gamma where `focalGamma` > 0,
 * p_t = t s + (1 - t)(1 - s), a_t = 0.25 t + 0.75 (1 - t), s = sigmoid(x) (focal loss, Lin et al. 2017, equation 5).
 * Differentiable in `logits` only. The caller disposes the result.
 */
export function binaryCrossEntropy<T extends tf.Tensor>(
  ops: EngineOps,
  logits: T,
  targets: T,
  { positiveWeight = 1, focalGamma = 0 }: BinaryCrossEntropyOptions = {},
): T {
  if (positiveWeight === 1 && focalGamma === 0) return ops.sigmoidCrossEntropy(logits, targets);

  /** Cross entropy and its derivative. */
  const entropy = (x: T, t: T): { value: T; slope: T } => {
    const negative = tf.sub<T>(1, t);
    const weight = tf.add<T>(tf.mul(t, positiveWeight - 1), 1);
    const softplus = tf.add(tf.log1p(tf.exp(tf.neg(tf.abs(x)))), tf.relu(tf.neg(x)));
    return {
      value: tf.add(tf.mul(negative, x), tf.mul(weight, softplus)),
      slope: tf.sub(negative, tf.mul(weight, tf.sigmoid(tf.neg(x)))),
    };
  };
  /** a_t, 1 - p_t and d p_t / dx. */
  const focus = (x: T, t: T): { share: T; missing: T; slope: T } => {
    const s = tf.sigmoid(x);
    const sign = tf.sub(tf.mul(t, 2), 1);
    return {
      share: tf.add(tf.mul(t, 2 * FOCAL_ALPHA - 1), 1 - FOCAL_ALPHA),
      missing: tf.maximum(tf.sub(t, tf.mul(sign, s)), TINY),
      slope: tf.mul(sign, tf.mul(s, tf.sub(1, s))),
    };
  };

  return withGradient<T>([logits], (save) => {
    save(logits, targets);
    const { value } = entropy(logits, targets);
    if (focalGamma === 0) {
      return {
        value,
        gradient: (dy, [x, t]) => [tf.mul(dy, entropy(x as T, t as T).slope)],
      };
    }
    const { share, missing } = focus(logits, targets);
    return {
      value: tf.mul(tf.mul(share, tf.pow(missing, focalGamma)), value),
      gradient: (dy, [x, t]) => {
        const e = entropy(x as T, t as T);
        const f = focus(x as T, t as T);
        // d[(1-p)^g L] = (1-p)^g L' - g (1-p)^(g-1) p' L
        const focused = tf.sub(
          tf.mul(tf.pow(f.missing, focalGamma), e.slope),
          tf.mul(tf.mul(tf.pow(f.missing, focalGamma - 1), focalGamma), tf.mul(f.slope, e.value)),
        );
        return [tf.mul(dy, tf.mul(f.share, focused))];
      },
    };
  });
}

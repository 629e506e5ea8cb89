/** Forms of the class term of soft outputs beside the sigmoid one. */
import * as tf from '@tensorflow/tfjs-core';
import { withGradient } from '../engine/custom-gradient.ts';
import type { EngineOps } from '../engine/engine.ts';
import { assignLevels, joined, meanWeights } from './assigned-levels.ts';
import { bernoulliDivergence } from './bernoulli-divergence.ts';
import { oneHotRows } from './decoupled-targets.ts';
import type { HeadRows } from './head-rows.ts';
import { kullbackLeibler } from './kullback-leibler.ts';
import type { HeadSpec } from '../model/detector.ts';

/** The class logits of rows [n, no]: [n, nc]. Differentiable. */
const classesOf = (rows: tf.Tensor2D): tf.Tensor2D => tf.slice(rows, [0, 5], [-1, -1]);

/**
 * Sum over the rows of w T^2 KL(softmax(t/T) || softmax(s/T)); logits are [n,C], `weights` w [n,1]. It sees how a row's
 * confidence is shared out, not how high it is. Differentiable in `student`.
 */
export function weightedSoftmaxDivergence(
  student: tf.Tensor2D,
  teacher: tf.Tensor2D,
  weights: tf.Tensor2D,
  temperature: number,
): tf.Scalar {
  return withGradient<tf.Scalar>([student], (save) => {
    const logs = (logits: tf.Tensor2D): tf.Tensor2D =>
      tf.logSoftmax(tf.mul<tf.Tensor2D>(logits, 1 / temperature));
    const own = logs(student);
    const theirs = logs(teacher);
    save(tf.exp(own), tf.exp(theirs), weights);
    const divergence = tf.reshape(kullbackLeibler(theirs, own), weights.shape);
    return {
      value: tf.mul(tf.sum(tf.mul(divergence, weights)), temperature ** 2),
      gradient: (dy, saved) => {
        const [p, q, w] = saved as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
        return [tf.mul(tf.sub(p, q), tf.mul(w, tf.mul(dy, temperature)))];
      },
    };
  });
}

/** `weightedSoftmaxDivergence` of the class logits of rows [n, no]. */
export const softmaxClasses = (
  student: HeadRows,
  teacher: tf.Tensor2D,
  weights: tf.Tensor2D,
  temperature: number,
): tf.Scalar => weightedSoftmaxDivergence(classesOf(student.rows), classesOf(teacher), weights, temperature);

/** Weights of DKD. */
export interface DecoupledWeights {
  readonly temperature: number;
  readonly alpha: number;
  readonly beta: number;
}

/**
 * DKD (Zhao et al. 2022), adapted to sigmoid classes: in the rows that `labels` are assigned to, mean over the classes
 * of T^2 KL(sigmoid(t/T) || sigmoid(s/T)), weighted by alpha for the true class and by beta for the others; means of
 * the levels, summed. 0 without an assigned row. With alpha = beta = 1 it is the sigmoid form at the assigned rows.
 */
export function decoupledClasses(
  ops: EngineOps,
  student: readonly HeadRows[],
  teacher: readonly HeadRows[],
  labels: Float32Array,
  spec: HeadSpec,
  { temperature, alpha, beta }: DecoupledWeights,
): tf.Scalar {
  const { nc } = spec;
  const levels = assignLevels(student, labels, spec, 4);
  const matched = levels.flatMap((level, index) => (level.assigned.count > 0 ? [{ level, index }] : []));
  if (matched.length === 0) return tf.scalar(0);
  const logits = (heads: readonly HeadRows[]): tf.Tensor2D =>
    tf.mul(
      classesOf(
        tf.concat(
          matched.map(({ level, index }) => ops.gatherRows((heads[index] as HeadRows).rows, level.cells)),
        ),
      ),
      1 / temperature,
    );
  const assigned = matched.map(({ level }) => level);
  const truth = oneHotRows(
    joined(assigned, (level) => level.assigned.classIndex),
    nc,
  );
  const weights = tf.add(tf.mul(truth, alpha - beta), beta);
  const divergence = tf.mul(bernoulliDivergence(logits(student), logits(teacher)), weights);
  return tf.sum(tf.mul(tf.sum(divergence, 1), meanWeights(assigned, temperature ** 2 / nc)));
}

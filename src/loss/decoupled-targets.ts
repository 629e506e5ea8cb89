/** Decoupled knowledge distillation (DKD; Zhao et al. 2022), for classes that exclude each other. */
import * as tf from '@tensorflow/tfjs-core';
import { SoftshardError } from '../errors.ts';
import { withGradient } from '../engine/custom-gradient.ts';
import { bernoulliDivergence } from './bernoulli-divergence.ts';
import { checkedTemperature } from './checked-temperature.ts';
import { divergenceTerms } from './kullback-leibler.ts';

/** Takes the true class out of a softmax. */
const FAR_BELOW = -1e9;

/** A row's logits as two distributions: the true class against the rest, and the rest among itself. */
function decoupled(logits: tf.Tensor2D, truth: tf.Tensor2D) {
  const rest = tf.add<tf.Tensor2D>(logits, tf.mul(truth, FAR_BELOW));
  const top = tf.max<tf.Tensor2D>(rest, 1, true);
  const total = tf.add<tf.Tensor2D>(top, tf.log(tf.sum(tf.exp(tf.sub(rest, top)), 1, true)));
  return {
    /** Logarithms of the other classes' shares among themselves [n,C]; far below 0 at the true class. */
    shares: tf.sub<tf.Tensor2D>(rest, total),
    /** Logit of the true class against the rest, [n,1]. */
    odds: tf.sub<tf.Tensor2D>(tf.sum(tf.mul(logits, truth), 1, true), total),
  };
}

/** Rows [n,C] with a 1 at each row's class. Throws E_LOSS for a class that does not exist. The caller disposes. */
export function oneHotRows(classes: ArrayLike<number>, width: number): tf.Tensor2D {
  const data = new Float32Array(classes.length * width);
  for (let row = 0; row < classes.length; row++) {
    const index = classes[row] ?? NaN;
    if (!(Number.isInteger(index) && index >= 0 && index < width)) {
      throw new SoftshardError('E_LOSS', {
        message: 'A class does not exist.',
        where: `row ${row}`,
        expected: `0...${width - 1}`,
        found: `${index}`,
      });
    }
    data[row * width + index] = 1;
  }
  return tf.tensor2d(data, [classes.length, width]);
}

/**
 * The two terms of every row, [n,2], each times T^2: KL of (true class, rest), and KL among the rest. Logits are
 * [n,C], C > 1; `truth` [n,C] has a 1 at each row's class. Differentiable in `student`, in closed form.
 */
export function decoupledRows(
  student: tf.Tensor2D,
  teacher: tf.Tensor2D,
  truth: tf.Tensor2D,
  temperature: number,
): tf.Tensor2D {
  const T = checkedTemperature(temperature);
  return withGradient<tf.Tensor2D>([student], (save) => {
    const own = decoupled(tf.mul(student, 1 / T), truth);
    const theirs = decoupled(tf.mul(teacher, 1 / T), truth);
    const others = tf.sub<tf.Tensor2D>(1, truth);
    const [shares, wanted] = [tf.exp(own.shares), tf.exp(theirs.shares)];
    const surplus = tf.sub<tf.Tensor2D>(tf.sigmoid(own.odds), tf.sigmoid(theirs.odds));
    save(surplus, shares, wanted, truth);
    // The true class is taken out of the differences too, where it is far below 0 in both.
    const rest = divergenceTerms<tf.Tensor2D>(
      theirs.shares,
      tf.add(tf.mul(own.shares, others), tf.mul(theirs.shares, truth)),
    );
    const terms = [bernoulliDivergence(own.odds, theirs.odds), tf.sum<tf.Tensor2D>(rest, 1, true)];
    return {
      value: tf.mul(tf.concat<tf.Tensor2D>(terms, 1), T * T),
      gradient: (dy, saved) => {
        const [b, p, q, y] = saved as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
        const [first, second] = tf.split(tf.mul(dy, T), 2, 1) as [tf.Tensor2D, tf.Tensor2D];
        return [tf.add(tf.mul(tf.mul(b, first), tf.sub(y, p)), tf.mul(tf.sub(p, q), second))];
      },
    };
  });
}

export interface DecoupledOptions {
  /** T > 0; 4 by default. Both terms carry the factor T^2. */
  readonly temperature?: number;
  /** Weight of the true class against the rest; 1 by default. */
  readonly alpha?: number;
  /** Weight of the rest among itself; 8 by default (6 to 8 by pair of models on CIFAR, 0.5 on ImageNet). */
  readonly beta?: number;
}

/**
 * Terms `target` and `rest` (batch means, unweighted, times T^2) and `total` = alpha target + beta rest. Logits are
 * [B,C] with C > 1, `classes` one index a row. The caller disposes them. Throws E_LOSS for a bad temperature or class,
 * or a single class.
 */
export function decoupledTargets(
  student: tf.Tensor2D,
  teacher: tf.Tensor2D,
  classes: readonly number[],
  { temperature = 4, alpha = 1, beta = 8 }: DecoupledOptions = {},
): { readonly target: tf.Scalar; readonly rest: tf.Scalar; readonly total: tf.Scalar } {
  const [batch, width] = student.shape;
  if (width < 2) {
    throw new SoftshardError('E_LOSS', {
      message: 'Decoupled distillation needs other classes than the true one.',
      expected: 'at least 2 classes',
      found: `${width}`,
    });
  }
  return tf.tidy(() => {
    const rows = decoupledRows(student, teacher, oneHotRows(classes, width), temperature);
    const means = tf.div<tf.Tensor1D>(tf.sum(rows, 0), batch);
    const [target, rest] = [0, 1].map((i) => tf.reshape<tf.Rank.R0>(tf.slice(means, i, 1), [])) as [
      tf.Scalar,
      tf.Scalar,
    ];
    return { target, rest, total: tf.add<tf.Scalar>(tf.mul(target, alpha), tf.mul(rest, beta)) };
  });
}

/**
 * Output distillation as the twin of the hard loss: the same cross entropies and the same CIoU, with the teacher's
 * probabilities and boxes as targets. Its scale is that of the hard loss, so that a weight of 1 is a safe start.
 */
import * as tf from '@tensorflow/tfjs-core';
import { withGradient } from '../engine/custom-gradient.ts';
import { checkedTemperature } from './checked-temperature.ts';
import { columnSums } from './column-sums.ts';
import { columnOf, headRows, teacherHeads, type HeadRows } from './head-rows.ts';
import { hostObjectness } from './host-objectness.ts';
import { levelBalance } from './level-balance.ts';
import type { Loss } from './loss.ts';
import { divergenceOfBoxes, overlapOfBoxes, selectedBoxes, selectRows } from './soft-boxes.ts';
import { decoupledClasses, softmaxClasses } from './soft-classes.ts';
import { usableLabels } from './usable-labels.ts';

/** Keeps a teacher that sees nothing at all from dividing by 0. */
const TINY = 1e-30;

export type SoftClassForm = 'sigmoid' | 'softmax' | 'decoupled';
export type SoftBoxForm = 'ciou' | 'ld';

export interface SoftOutputLossOptions {
  /** Divides the class logits of both; the term is multiplied by its square. > 0; 1 by default. */
  readonly temperature?: number;
  /**
   * How classes are compared: each by itself (`sigmoid`, the default), as one distribution (`softmax`), or true class
   * and others decoupled in the rows that labels are assigned to (`decoupled`).
   */
  readonly classes?: SoftClassForm;
  /** Of `decoupled`: weights of the true class and of the others; 1 and 0.25 by default, the paper's for detectors. */
  readonly alpha?: number;
  readonly beta?: number;
  /** How boxes are compared: by their overlap (`ciou`, the default) or by their logits (`ld`). */
  readonly boxes?: SoftBoxForm;
  /** Of `ld`: divides the box logits of both; the term is multiplied by its square. > 0; 10 by default. */
  readonly boxTemperature?: number;
  /** Boxes are learnt where the teacher's objectness exceeds it, 0...1; 0.01 by default. */
  readonly boxThreshold?: number;
  /** Weight of each level's objectness; `levelBalance` by default. */
  readonly balance?: readonly number[];
}

/**
 * Sums over rows of the cross entropy of `rows` against sigmoid(`teacher`), [2, no]: weighted by `weights`' first and
 * by its second column. Logits are multiplied by `sharpness` [no] first, where it is given. Differentiable in `rows`.
 */
function softEntropy(
  { rows, lines, no }: HeadRows,
  teacher: tf.Tensor2D,
  weights: tf.Tensor2D,
  sharpness: tf.Tensor1D | undefined,
): tf.Tensor2D {
  const times = (x: tf.Tensor2D, scale: tf.Tensor | undefined): tf.Tensor2D =>
    scale === undefined ? x : tf.mul(x, scale);
  return withGradient<tf.Tensor2D>([rows], (save) => {
    const target = tf.sigmoid(times(teacher, sharpness));
    save(rows, target, weights, ...(sharpness === undefined ? [] : [sharpness]));
    // BCE(x, p) = ln(1 + e^x) - x p: few passes over what is the largest tensor of a step.
    const logits = times(rows, sharpness);
    const entropy = tf.sub<tf.Tensor2D>(tf.softplus(logits), tf.mul(logits, target));
    return {
      value: columnSums(weights, entropy, lines),
      gradient: (dy, saved) => {
        const [s, p, w] = saved as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
        const scale = tf.matMul(w, times(tf.reshape(dy, [2, no]), saved[3])); // [n, no]
        return [tf.mul(tf.sub(tf.sigmoid(times(s, saved[3])), p), scale)];
      },
    };
  });
}

/**
 * Makes the output term of kind `soft`. Per level, over all its rows (images x cells x anchors), with
 * w = sigmoid(teacher objectness), s the student's and t the teacher's logits, T the temperature:
 *
 *     obj = balance * mean BCE(s_obj, w)
 *     cls = T^2 * sum w * mean_classes BCE(s_cls / T, sigmoid(t_cls / T)) / sum w          (0 for one class)
 *     box = sum w * (1 - CIoU(decoded s, decoded t)) / sum w, both sums over the rows with w > boxThreshold
 *
 * Each is summed over the levels and multiplied by the gain of the hard loss. `classes` and `boxes` replace a term:
 * see `softmaxClasses`, `decoupledClasses` and `divergenceOfBoxes`. Labels are used by `decoupled` alone; without it
 * every image counts, annotated or not. With `target.teacher.teacherObjectness` nothing is read back from the device.
 *
 * Throws E_LOSS when the teacher's heads are missing or differ in shape from the student's, or for a temperature
 * that is not positive.
 */
export function createSoftOutputLoss(options: SoftOutputLossOptions = {}): Loss {
  const { classes = 'sigmoid', alpha = 1, beta = 0.25, boxes = 'ciou', boxThreshold = 0.01 } = options;
  const temperature = checkedTemperature(options.temperature ?? 1);
  const boxTemperature = checkedTemperature(options.boxTemperature ?? 10);
  return (student, target, { ops, head: spec, gains }) =>
    tf.tidy(() => {
      const { nc, no } = spec;
      const teacher = teacherHeads(target.teacher?.heads, student.heads, spec).map(headRows);
      const heads = student.heads.map(headRows);
      const balance = options.balance ?? levelBalance(heads.length);
      const sharpness =
        temperature === 1
          ? undefined
          : tf.tensor1d(Array.from({ length: no }, (_, column) => (column < 5 ? 1 : 1 / temperature)));
      // What each row counts in the class term.
      const shares = heads.map(({ count, lines }, level) => {
        const w = tf.sigmoid(columnOf((teacher[level] as HeadRows).rows, 4)); // [n, 1]
        return tf.div<tf.Tensor2D>(w, tf.maximum(columnSums(tf.ones([count, 1]), w, lines), TINY));
      });
      const sums = tf.addN(
        heads.map((head, level) => {
          const weights = tf.concat<tf.Tensor2D>(
            [
              tf.fill([head.count, 1], (balance[level] ?? 0) / head.count),
              tf.mul<tf.Tensor2D>(shares[level] as tf.Tensor2D, temperature ** 2 / nc),
            ],
            1,
          ); // [n, 2]
          return softEntropy(head, (teacher[level] as HeadRows).rows, weights, sharpness);
        }),
      ); // [2, no]
      const classTerm = (): tf.Scalar => {
        switch (classes) {
          case 'sigmoid':
            return tf.sum(tf.slice(sums, [1, 5], [1, nc]));
          case 'softmax':
            return tf.addN(
              heads.map((head, level) =>
                softmaxClasses(
                  head,
                  (teacher[level] as HeadRows).rows,
                  shares[level] as tf.Tensor2D,
                  temperature,
                ),
              ),
            );
          case 'decoupled':
            return decoupledClasses(ops, heads, teacher, usableLabels(target, nc), spec, {
              temperature,
              alpha,
              beta,
            });
        }
      };
      const selections = hostObjectness(teacher, target.teacher?.teacherObjectness).map((logits) =>
        selectRows(logits, boxThreshold),
      );
      const seen = selectedBoxes(ops, heads, teacher, selections, spec);
      const boxTerm = (): tf.Scalar => {
        if (seen === undefined) return tf.scalar(0);
        return boxes === 'ciou' ? overlapOfBoxes(seen) : divergenceOfBoxes(seen, boxTemperature);
      };
      return {
        box: tf.mul<tf.Scalar>(boxTerm(), gains.box),
        obj: tf.mul<tf.Scalar>(tf.sum(tf.slice(sums, [0, 4], [1, 1])), gains.obj),
        cls: nc > 1 ? tf.mul<tf.Scalar>(classTerm(), gains.cls) : tf.scalar(0),
      };
    });
}

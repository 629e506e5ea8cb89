/**
 * The loss against labels (YOLOv5 v7.0 convention): boxes by CIoU and classes by cross entropy where labels were
 * assigned, objectness by cross entropy everywhere, its target being the clamped CIoU of the present prediction.
 */
import * as tf from '@tensorflow/tfjs-core';
import { SoftshardError } from '../errors.ts';
import type { HeadSpec } from '../model/detector.ts';
import type { EngineOps } from '../engine/engine.ts';
import { withGradient } from '../engine/custom-gradient.ts';
import { assignTargets, type AssignedRows } from './assign-targets.ts';
import { binaryCrossEntropy } from './binary-cross-entropy.ts';
import { ciou } from './box-overlap.ts';
import { decodeBoxes } from './decode-boxes.ts';
import { checkHeadTensors, columnOf, headRows, type HeadRows } from './head-rows.ts';
import { levelBalance } from './level-balance.ts';
import type { Loss, LossTarget } from './loss.ts';
import { stopGradient } from './stop-gradient.ts';

export interface HardLossOptions {
  /** Weights of the positives in the class and objectness cross entropies; 1 by default. */
  readonly clsPw?: number;
  readonly objPw?: number;
  /** 0...1; class targets become eps/2 and 1 - eps/2. 0 by default. */
  readonly labelSmoothing?: number;
  /** Focal loss exponent; 0 (off) by default. */
  readonly flGamma?: number;
  /** Largest ratio of a label's side to its anchor's (or the reverse), exclusive; 4 by default. */
  readonly anchorThreshold?: number;
  /** Weight of each level's objectness; `levelBalance` by default. */
  readonly balance?: readonly number[];
  /** Share of the overlap in the objectness target, 0...1; the rest is a constant 1. 1 by default. */
  readonly gr?: number;
}

/** One level: its rows and what was assigned to it. */
interface Level {
  readonly head: HeadRows;
  readonly assigned: AssignedRows;
  /** Row of the head for each assigned row. */
  readonly cells: Int32Array;
  /** Position of the level's first row among the assigned rows of all levels. */
  readonly start: number;
}

/** The rows of `labels` whose image is annotated. Throws E_LOSS for rows that name no image or class. */
function usableLabels({ labels, labelled }: LossTarget, nc: number): Float32Array {
  const kept: number[] = [];
  for (let i = 0; i + 6 <= labels.length; i += 6) {
    const row = labels.subarray(i, i + 6);
    const [image = -1, classIndex = -1] = row;
    if (
      labelled[image] === undefined ||
      !Number.isInteger(classIndex) ||
      classIndex < 0 ||
      classIndex >= nc
    ) {
      throw new SoftshardError('E_LOSS', {
        message: 'A label names an image or a class that does not exist.',
        where: `label row ${i / 6}`,
        expected: `image < ${labelled.length}, class < ${nc}`,
        found: `image ${image}, class ${classIndex}`,
      });
    }
    if (labelled[image]) kept.push(...row);
  }
  return Float32Array.from(kept);
}

function levelsOf(
  heads: readonly HeadRows[],
  labels: Float32Array,
  spec: HeadSpec,
  threshold: number,
): Level[] {
  let start = 0;
  return assignTargets(labels, spec, heads, threshold).map((assigned, index) => {
    const head = heads[index] as HeadRows;
    const cells = assigned.image.map(
      (image, i) =>
        ((image * head.ny + (assigned.gridY[i] ?? 0)) * head.nx + (assigned.gridX[i] ?? 0)) * head.na +
        (assigned.anchor[i] ?? 0),
    );
    const level = { head, assigned, cells, start };
    start += assigned.count;
    return level;
  });
}

/** Concatenates a per-row array of all levels. */
const joined = (levels: readonly Level[], of: (level: Level) => ArrayLike<number>): Float32Array =>
  Float32Array.from(levels.flatMap((level) => Array.from(of(level))));

/** 1 / rows of its level, times `scale`: sums weighted so are sums of the levels' means. */
const meanWeights = (levels: readonly Level[], scale = 1): tf.Tensor1D =>
  tf.tensor1d(joined(levels, ({ assigned: { count } }) => new Float32Array(count).fill(scale / count)));

/** The objectness target of a level [lines, count / lines]; the last of the rows that share a cell decides. */
function objectnessTarget(
  { head, cells, start }: Level,
  overlap: tf.Tensor1D | undefined,
  gr: number,
): tf.Tensor2D {
  const shape: [number, number] = [head.lines, head.count / head.lines];
  if (overlap === undefined || cells.length === 0) return tf.zeros(shape);
  const winners = new Map<number, number>();
  cells.forEach((cell, i) => winners.set(cell, start + i));
  return stopGradient(() => {
    const values = tf.relu(tf.gather(overlap, tf.tensor1d([...winners.values()], 'int32')));
    return tf.reshape(
      tf.scatterND(
        tf.tensor2d([...winners.keys()], [winners.size, 1], 'int32'),
        gr === 1 ? values : tf.add(tf.mul(values, gr), 1 - gr),
        [head.count],
      ),
      shape,
    );
  });
}

/** A zero that depends on `heads` and hands each a zero gradient. */
function zeroOf(heads: readonly tf.Tensor5D[]): tf.Scalar {
  return withGradient<tf.Scalar>(heads, () => ({
    value: tf.scalar(0),
    gradient: () => heads.map(({ shape }) => tf.zeros(shape)),
  }));
}

/** Class logits against smoothed one-hot targets; a sum of the levels' means over rows and classes. */
function classTerm(
  ops: EngineOps,
  rows: tf.Tensor2D,
  levels: readonly Level[],
  { nc }: HeadSpec,
  { labelSmoothing = 0, clsPw = 1, flGamma = 0 }: HardLossOptions,
): tf.Scalar {
  const classes = joined(levels, ({ assigned }) => assigned.classIndex);
  const targets = new Float32Array(classes.length * nc).fill(labelSmoothing / 2);
  classes.forEach((classIndex, i) => (targets[i * nc + classIndex] = 1 - labelSmoothing / 2));
  const entropy = binaryCrossEntropy(
    ops,
    tf.slice(rows, [0, 5], [-1, nc]),
    tf.tensor2d(targets, [classes.length, nc]),
    { positiveWeight: clsPw, focalGamma: flGamma },
  );
  return tf.sum(tf.mul(tf.sum(entropy, 1), meanWeights(levels, 1 / nc)));
}

/** Mean cross entropy of a level's objectness over its labelled images. */
function objectnessTerm(
  ops: EngineOps,
  level: Level,
  overlap: tf.Tensor1D | undefined,
  labelled: readonly boolean[],
  { objPw = 1, flGamma = 0, gr = 1 }: HardLossOptions,
): tf.Scalar {
  const { head } = level;
  const target = objectnessTarget(level, overlap, gr);
  const entropy = binaryCrossEntropy(ops, tf.reshape(columnOf(head.rows, 4), target.shape), target, {
    positiveWeight: objPw,
    focalGamma: flGamma,
  });
  const perImage = head.count / head.batch;
  const weight = 1 / (perImage * labelled.filter(Boolean).length);
  const weights = labelled.flatMap((known) => new Array<number>(head.ny).fill(known ? weight : 0));
  return tf.sum(tf.mul(tf.sum(entropy, 1), tf.tensor1d(weights)));
}

/**
 * Makes the hard loss: terms `box`, `obj`, `cls`, each times its gain and per image, so that the total of a batch is
 * B (box + obj + cls). Only annotated images count (`target.labelled`): objectness is the mean over them and rows of
 * others are left out, so with L of B images annotated the total is L (box + obj + cls). Without an annotated image
 * every term is 0 and its gradient too. Nothing is read back from the device.
 *
 * Throws E_LOSS when the heads are not those that `context.head` describes, or a label names no image or class.
 */
export function createHardLoss(options: HardLossOptions = {}): Loss {
  return (student, target, { ops, head: spec, gains }) =>
    tf.tidy(() => {
      checkHeadTensors(student.heads, spec, 'student');
      if (!target.labelled.includes(true)) {
        return { box: tf.scalar(0), obj: zeroOf(student.heads), cls: tf.scalar(0) };
      }
      const heads = student.heads.map(headRows);
      const labels = usableLabels(target, spec.nc);
      const levels = levelsOf(heads, labels, spec, options.anchorThreshold ?? 4);
      const matched = levels.filter(({ assigned }) => assigned.count > 0);

      let box = tf.scalar(0);
      let cls = tf.scalar(0);
      let overlap: tf.Tensor1D | undefined;
      if (matched.length > 0) {
        // [matched rows of all levels, no]
        const rows = tf.concat(matched.map(({ head, cells }) => ops.gatherRows(head.rows, cells)));
        const anchors = joined(matched, ({ assigned }) => assigned.anchorSize);
        const boxes = joined(matched, ({ assigned }) => assigned.box);
        overlap = ciou(
          decodeBoxes(tf.slice(rows, [0, 0], [-1, 4]), tf.tensor2d(anchors, [anchors.length / 2, 2])),
          tf.tensor2d(boxes, [boxes.length / 4, 4]),
        );
        box = tf.sum(tf.mul(tf.sub(1, overlap), meanWeights(matched)));
        if (spec.nc > 1) cls = classTerm(ops, rows, matched, spec, options);
      }
      const balance = options.balance ?? levelBalance(levels.length);
      const obj = tf.addN(
        levels.map((level, i) =>
          tf.mul<tf.Scalar>(objectnessTerm(ops, level, overlap, target.labelled, options), balance[i] ?? 0),
        ),
      );
      return {
        box: tf.mul<tf.Scalar>(box, gains.box),
        obj: tf.mul<tf.Scalar>(obj, gains.obj),
        cls: tf.mul<tf.Scalar>(cls, gains.cls),
      };
    });
}

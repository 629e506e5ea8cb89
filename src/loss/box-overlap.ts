/**
 * How well boxes overlap, with closed-form gradients (tfjs-core has none for comparisons, and one operation instead
 * of thirty recorded ones is faster): IoU, GIoU (Rezatofighi et al. 2019), DIoU and CIoU (Zheng et al. 2020).
 */
import * as tf from '@tensorflow/tfjs-core';
import { withGradient } from '../engine/custom-gradient.ts';

export type OverlapKind = 'iou' | 'giou' | 'diou' | 'ciou';

const EPSILON = 1e-7;
/** Keeps w^2 + h^2 of a box that has shrunk to nothing away from 0; far below any real box. */
const TINY = 1e-30;

type Column = tf.Tensor2D;

const centreOf = (boxes: tf.Tensor2D): tf.Tensor2D => tf.slice(boxes, [0, 0], [-1, 2]);
const sizeOf = (boxes: tf.Tensor2D): tf.Tensor2D => tf.slice(boxes, [0, 2], [-1, 2]);
const first = (pairs: tf.Tensor2D): Column => tf.slice(pairs, [0, 0], [-1, 1]);
const second = (pairs: tf.Tensor2D): Column => tf.slice(pairs, [0, 1], [-1, 1]);
const product = (pairs: tf.Tensor2D): Column => tf.mul(first(pairs), second(pairs));
const sumOf = (pairs: tf.Tensor2D): Column => tf.add(first(pairs), second(pairs));
const swapped = (pairs: tf.Tensor2D): tf.Tensor2D => tf.reverse(pairs, 1);
/** 1 where a > b, 0 where a < b and 1/2 where they are equal. */
const above = (a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor2D => tf.mul(tf.add(tf.sign(tf.sub(a, b)), 1), 0.5);

/** What every kind needs of two lists of boxes [n,4]; pairs are [n,2] (x, y), columns [n,1]. */
function geometryOf(boxes: tf.Tensor2D, truth: tf.Tensor2D) {
  const centre = centreOf(boxes);
  const size = sizeOf(boxes);
  const trueCentre = centreOf(truth);
  const trueSize = sizeOf(truth);
  const half = tf.mul<tf.Tensor2D>(size, 0.5);
  const trueHalf = tf.mul<tf.Tensor2D>(trueSize, 0.5);
  const low = tf.sub<tf.Tensor2D>(centre, half);
  const high = tf.add<tf.Tensor2D>(centre, half);
  const trueLow = tf.sub<tf.Tensor2D>(trueCentre, trueHalf);
  const trueHigh = tf.add<tf.Tensor2D>(trueCentre, trueHalf);
  /** Sides of the intersection, negative where there is none; and of the enclosing box. */
  const shared = tf.sub<tf.Tensor2D>(tf.minimum(high, trueHigh), tf.maximum(low, trueLow));
  const overlap = tf.relu(shared);
  const enclosing = tf.sub<tf.Tensor2D>(tf.maximum(high, trueHigh), tf.minimum(low, trueLow));
  const intersection = product(overlap);
  const union = tf.add<Column>(tf.sub(tf.add(product(size), product(trueSize)), intersection), EPSILON);
  const iou = tf.div<Column>(intersection, union);
  const offset = tf.sub<tf.Tensor2D>(centre, trueCentre);
  return {
    size,
    low,
    high,
    trueLow,
    trueHigh,
    shared,
    overlap,
    enclosing,
    union,
    iou,
    offset,
    /** Area of the enclosing box, squared distance of the centres, squared diagonal of the enclosing box. */
    hull: tf.add<Column>(product(enclosing), EPSILON),
    distance: sumOf(tf.square(offset)),
    diagonal: tf.add<Column>(sumOf(tf.square(enclosing)), EPSILON),
    /** Difference of the aspect ratios' angles. */
    angle: tf.sub<Column>(tf.atan2(first(trueSize), second(trueSize)), tf.atan2(first(size), second(size))),
  };
}

type Geometry = ReturnType<typeof geometryOf>;

const ANGLE_SCALE = 4 / Math.PI ** 2;

/** The weight of the aspect term, v / (v - iou + 1): a constant, it takes no gradient. */
function aspectOf({ angle, iou }: Geometry): { v: Column; alpha: Column } {
  const v = tf.mul<Column>(tf.square(angle), ANGLE_SCALE);
  // Equal boxes may round to an IoU just above 1, which would make it 0/0.
  const rest = tf.maximum(tf.add(tf.sub(v, iou), 1 + EPSILON), EPSILON);
  return { v, alpha: tf.div<Column>(v, rest) };
}

function valueOf(kind: OverlapKind, g: Geometry): Column {
  if (kind === 'iou') return g.iou;
  if (kind === 'giou') return tf.sub(g.iou, tf.div(tf.sub(g.hull, g.union), g.hull));
  const diou = tf.sub<Column>(g.iou, tf.div(g.distance, g.diagonal));
  if (kind === 'diou') return diou;
  const { v, alpha } = aspectOf(g);
  return tf.sub(diou, tf.mul(alpha, v));
}

/** Gradients by centre and size, [n,2] each, of one kind. */
function gradientOf(kind: OverlapKind, g: Geometry): { centre: tf.Tensor2D; size: tf.Tensor2D } {
  // Which borders of the intersection are the box's own; at a tie half the gradient goes to either box.
  const ownHigh = above(g.trueHigh, g.high);
  const ownLow = above(g.low, g.trueLow);
  const moved = tf.sub<tf.Tensor2D>(ownHigh, ownLow); // d shared / d centre; the enclosing box's is its negative
  const grown = tf.mul<tf.Tensor2D>(tf.add(ownHigh, ownLow), 0.5); // d shared / d size; the enclosing box's is 1 - it
  const across = tf.mul(swapped(g.overlap), tf.cast(tf.greaterEqual(g.shared, 0), 'float32'));
  const sharedByCentre = tf.mul<tf.Tensor2D>(moved, across);
  const sharedBySize = tf.mul<tf.Tensor2D>(grown, across);
  const areaBySize = swapped(g.size);
  // d(I/U) = dI (1 + I/U)/U - (I/U) dS/U, S = the sum of both areas.
  const scale = tf.div(tf.add(g.iou, 1), g.union);
  let centre = tf.mul<tf.Tensor2D>(sharedByCentre, scale);
  let size = tf.sub<tf.Tensor2D>(tf.mul(sharedBySize, scale), tf.mul(areaBySize, tf.div(g.iou, g.union)));
  const shrunk = tf.sub<tf.Tensor2D>(1, grown);
  if (kind === 'giou') {
    // d(U/C) = dU/C - U dC/C^2
    const ratio = tf.div(g.union, tf.square(g.hull));
    const enclosed = tf.mul(swapped(g.enclosing), ratio);
    centre = tf.add(centre, tf.sub(tf.mul(moved, enclosed), tf.div(sharedByCentre, g.hull)));
    size = tf.add(size, tf.sub(tf.div(tf.sub(areaBySize, sharedBySize), g.hull), tf.mul(shrunk, enclosed)));
  }
  if (kind === 'diou' || kind === 'ciou') {
    // d(D/G) = dD/G - D dG/G^2
    const pull = tf.mul(g.enclosing, tf.mul(tf.div(g.distance, tf.square(g.diagonal)), 2));
    centre = tf.sub(centre, tf.add(tf.mul(g.offset, tf.div(2, g.diagonal)), tf.mul(pull, moved)));
    size = tf.add(size, tf.mul(pull, shrunk));
  }
  if (kind === 'ciou') {
    // d atan(w/h) = (h dw - w dh) / (w^2 + h^2)
    const { alpha } = aspectOf(g);
    const turn = tf.div(
      tf.mul(tf.mul(alpha, g.angle), 2 * ANGLE_SCALE),
      tf.add(sumOf(tf.square(g.size)), TINY),
    );
    size = tf.add(size, tf.mul(tf.mul(swapped(g.size), turn), tf.tensor2d([[1, -1]])));
  }
  return { centre, size };
}

/**
 * Overlap of `boxes` with `truth`, row by row: [n] float32. Both are [n,4] (centre x, centre y, width, height) in any
 * common unit. Differentiable in `boxes`; in CIoU the weight of the aspect term is a constant. 1 is perfect; IoU is
 * at least 0, GIoU and DIoU above -1, CIoU above -2. The caller disposes the result.
 */
export function boxOverlap(kind: OverlapKind, boxes: tf.Tensor2D, truth: tf.Tensor2D): tf.Tensor1D {
  return withGradient<tf.Tensor1D>([boxes], (save) => {
    save(boxes, truth);
    return {
      value: tf.reshape(valueOf(kind, geometryOf(boxes, truth)), [-1]),
      gradient: (dy, [savedBoxes, savedTruth]) => {
        const geometry = geometryOf(savedBoxes as tf.Tensor2D, savedTruth as tf.Tensor2D);
        const { centre, size } = gradientOf(kind, geometry);
        return [tf.mul(tf.concat([centre, size], 1), tf.expandDims(dy, 1))];
      },
    };
  });
}

/** Complete IoU: `boxOverlap` of kind `ciou`. */
export const ciou = (boxes: tf.Tensor2D, truth: tf.Tensor2D): tf.Tensor1D => boxOverlap('ciou', boxes, truth);

/** What each pixel of a feature map counts in a hint. */
import * as tf from '@tensorflow/tfjs-core';
import { boxCells, type FeatureGrid, type LabelledBoxes } from './box-cells.ts';
import { resizeFeature } from './resize-feature.ts';

/** Keeps weights of zeros alone from being divided by 0. */
const TINY = 1e-12;

/** `weights` [B,H,W,1] divided by their sum; zeros stay zeros. */
const normalised = (weights: tf.Tensor4D): tf.Tensor4D => tf.div(weights, tf.maximum(tf.sum(weights), TINY));

/**
 * Weights by what the teacher sees: the highest objectness of a cell's anchors, in the level of `heads` (raw, grid
 * layout) whose grid is nearest in size, resized to the map; they sum up to 1. [B,H,W,1]. The caller disposes.
 */
export function objectnessWeights(heads: readonly tf.Tensor5D[], grid: FeatureGrid): tf.Tensor4D {
  const distance = ({ shape }: tf.Tensor5D): number => Math.abs(Math.log(shape[1] / grid.height));
  const nearest = heads.reduce((best, head) => (distance(head) < distance(best) ? head : best));
  return tf.tidy(() => {
    const [b, ny, nx, na] = nearest.shape;
    const logits = tf.slice(nearest, [0, 0, 0, 0, 4], [b, ny, nx, na, 1]);
    const seen = tf.reshape<tf.Rank.R4>(tf.sigmoid(tf.max(logits, 3)), [b, ny, nx, 1]);
    const same = ny === grid.height && nx === grid.width;
    return normalised(same ? seen : resizeFeature(seen, grid.height, grid.width));
  });
}

/** Equal weights for the cells that labelled boxes touch, 0 elsewhere; they sum up to 1. The caller disposes. */
export const boxWeights = (boxes: LabelledBoxes, grid: FeatureGrid): tf.Tensor4D =>
  tf.tidy(() => normalised(boxCells(boxes, grid)));

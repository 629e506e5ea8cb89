import * as tf from '@tensorflow/tfjs-core';

/**
 * Boxes of raw logits, in grid units and relative to their cell (YOLOv5 v7.0 convention): centre 2s - 0.5, size
 * (2s)^2 times the anchor, s = sigmoid. `logits` is [n,4] (tx, ty, tw, th), `anchors` [n,2] in grid units; the result
 * [n,4] is (x, y, w, h). Differentiable in `logits`; the caller disposes the result.
 */
export function decodeBoxes(logits: tf.Tensor2D, anchors: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => {
    const doubled = tf.mul<tf.Tensor2D>(tf.sigmoid(logits), 2);
    const centre = tf.sub<tf.Tensor2D>(tf.slice(doubled, [0, 0], [-1, 2]), 0.5);
    const size = tf.mul<tf.Tensor2D>(tf.square(tf.slice(doubled, [0, 2], [-1, 2])), anchors);
    return tf.concat([centre, size], 1);
  });
}

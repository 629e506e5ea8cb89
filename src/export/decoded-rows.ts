/** Raw heads to decoded rows in tensor operations, for graphs: the same rows as `decodeHeads`. */
import * as tf from '@tensorflow/tfjs-core';
import type { HeadSpec } from '../model/detector.ts';

/** (column - 0.5, row - 0.5) times the stride of every row of a level, in the order anchor, y, x: [1, na*ny*nx, 2]. */
function offsets(na: number, ny: number, nx: number, stride: number): tf.Tensor3D {
  const data = new Float32Array(na * ny * nx * 2);
  for (let row = 0; row < na * ny * nx; row++) {
    const cell = row % (ny * nx);
    data[2 * row] = ((cell % nx) - 0.5) * stride;
    data[2 * row + 1] = (Math.floor(cell / nx) - 0.5) * stride;
  }
  return tf.tensor3d(data, [1, na * ny * nx, 2]);
}

/** Four times the anchor of every row of a level, pixels: [1, na*cells, 2]. */
function anchorSizes(anchors: readonly (readonly [number, number])[], cells: number): tf.Tensor3D {
  const rows = anchors.flatMap(([w, h]) => Array.from({ length: cells }, () => [4 * w, 4 * h]).flat());
  return tf.tensor3d(Float32Array.from(rows), [1, anchors.length * cells, 2]);
}

/**
 * Rows [B, N, 5 + nc] of (cx, cy, w, h in pixels, objectness, class probabilities) of raw heads in grid layout:
 * levels as given, inside a level anchor-major, then y, then x (YOLOv5 v7.0 convention, see `decodeHeads`).
 */
export function decodedRows(heads: readonly tf.Tensor5D[], head: HeadSpec): tf.Tensor3D {
  const { na, no } = head;
  const levels = heads.map((logits, level) => {
    const [b, ny, nx] = logits.shape;
    const stride = head.strides[level] ?? 1;
    const rows = tf.reshape<tf.Rank.R3>(tf.transpose(logits, [0, 3, 1, 2, 4]), [b, na * ny * nx, no]);
    const [centre, size, scores] = tf.split<tf.Tensor3D>(tf.sigmoid(rows), [2, 2, no - 4], 2);
    if (centre === undefined || size === undefined || scores === undefined)
      throw new Error('split gave less');
    return tf.concat<tf.Tensor3D>(
      [
        tf.add<tf.Tensor3D>(tf.mul(centre, 2 * stride), offsets(na, ny, nx, stride)),
        tf.mul<tf.Tensor3D>(tf.square(size), anchorSizes(head.anchors[level] ?? [], ny * nx)),
        scores,
      ],
      2,
    );
  });
  return tf.concat<tf.Tensor3D>(levels, 1);
}

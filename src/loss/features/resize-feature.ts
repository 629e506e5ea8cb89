import * as tf from '@tensorflow/tfjs-core';

/** The [to, from] matrix of linear interpolation between pixel centres (align_corners false), border repeated. */
function interpolation(from: number, to: number): tf.Tensor2D {
  const weights = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const at = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    const low = Math.floor(at);
    const high = Math.min(low + 1, from - 1);
    weights[i * from + low] = (weights[i * from + low] ?? 0) + 1 - (at - low);
    weights[i * from + high] = (weights[i * from + high] ?? 0) + (at - low);
  }
  return tf.tensor2d(weights, [to, from]);
}

/**
 * Resizes x [B,h,w,C] to [B,height,width,C] bilinearly, pixel centres aligned (PyTorch's align_corners=False, no
 * antialiasing): one matrix product an axis, which every backend differentiates. The caller disposes the result.
 */
export function resizeFeature(x: tf.Tensor4D, height: number, width: number): tf.Tensor4D {
  return tf.tidy(() => {
    const [b, h, w, c] = x.shape;
    const rows = tf.matMul(
      tf.tile(tf.expandDims(interpolation(h, height)), [b, 1, 1]),
      tf.reshape(x, [b, h, w * c]),
    );
    const columns = tf.matMul(
      tf.tile(tf.expandDims(interpolation(w, width)), [b * height, 1, 1]),
      tf.reshape(rows, [b * height, w, c]),
    );
    return tf.reshape(columns, [b, height, width, c]);
  });
}

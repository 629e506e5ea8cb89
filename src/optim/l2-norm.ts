import * as tf from '@tensorflow/tfjs-core';

const LINE = 1024;

/**
 * L2 norm of a vector [n]. Squares are summed in lines of 1024 and over the lines then: wasm sums in one running
 * float32, which loses three digits over a million values. The caller disposes the scalar.
 */
export function l2Norm(vector: tf.Tensor1D): tf.Scalar {
  return tf.tidy(() => {
    const squares = tf.square(vector);
    const whole = Math.floor(vector.size / LINE) * LINE;
    const sums = [tf.sum<tf.Scalar>(tf.slice1d(squares, whole, vector.size - whole))];
    if (whole > 0) {
      const lines = tf.reshape(tf.slice1d(squares, 0, whole), [whole / LINE, LINE]);
      sums.push(tf.sum<tf.Scalar>(tf.sum(lines, 1)));
    }
    return tf.sqrt(tf.addN(sums));
  });
}

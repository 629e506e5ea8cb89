import * as tf from '@tensorflow/tfjs-core';

/** Mean over all elements of a feature map, summed over channels first and pixels then: exact enough in float32. */
export const meanOf = (x: tf.Tensor4D): tf.Scalar =>
  tf.div<tf.Scalar>(tf.sum(tf.sum(tf.sum(x, 3), 2)), x.size);

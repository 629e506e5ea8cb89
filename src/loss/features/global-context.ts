import * as tf from '@tensorflow/tfjs-core';

/** Added to the variance of the block's layer norm. */
const EPSILON = 1e-5;

/** The values of a context block over C channels, D = C/2 inside; 1x1 filters are [1,1,in,out]. */
export interface ContextParameters {
  readonly attendWeight: tf.Tensor4D;
  readonly attendBias: tf.Tensor1D;
  readonly reduceWeight: tf.Tensor4D;
  readonly reduceBias: tf.Tensor1D;
  readonly normWeight: tf.Tensor1D;
  readonly normBias: tf.Tensor1D;
  readonly expandWeight: tf.Tensor4D;
  readonly expandBias: tf.Tensor1D;
}

const matrixOf = (filter: tf.Tensor4D): tf.Tensor2D => tf.reshape(filter, [filter.shape[2], filter.shape[3]]);

/**
 * A global context block (GCNet, Cao et al. 2019): the pixels' average, weighted by an attention that the block
 * learns, goes through two layers and is added to every pixel; x [B,H,W,C]. Differentiable in x and the parameters.
 */
export function contextBlock(x: tf.Tensor4D, parameters: ContextParameters): tf.Tensor4D {
  const [b, h, w, c] = x.shape;
  const pixels = tf.reshape<tf.Rank.R3>(x, [b, h * w, c]);
  const scores = tf.add(
    tf.matMul(tf.reshape<tf.Rank.R2>(x, [b * h * w, c]), matrixOf(parameters.attendWeight)),
    parameters.attendBias,
  );
  const share = tf.softmax(tf.reshape<tf.Rank.R2>(scores, [b, h * w]));
  const context = tf.reshape<tf.Rank.R2>(tf.matMul(tf.reshape(share, [b, 1, h * w]), pixels), [b, c]);
  const reduced = tf.add<tf.Tensor2D>(
    tf.matMul(context, matrixOf(parameters.reduceWeight)),
    parameters.reduceBias,
  );
  const centred = tf.sub<tf.Tensor2D>(reduced, tf.mean(reduced, 1, true));
  const deviation = tf.sqrt(tf.add(tf.mean(tf.square(centred), 1, true), EPSILON));
  const normed = tf.add(tf.mul(tf.div(centred, deviation), parameters.normWeight), parameters.normBias);
  const added = tf.add(
    tf.matMul(tf.relu(normed as tf.Tensor2D), matrixOf(parameters.expandWeight)),
    parameters.expandBias,
  );
  return tf.add(x, tf.reshape(added, [b, 1, 1, c]));
}

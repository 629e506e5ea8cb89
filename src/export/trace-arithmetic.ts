/** Kernels that compute value by value: arithmetic, activations, batch norm. */
import * as tf from '@tensorflow/tfjs-core';
import { attr } from './graph-def.ts';
import { first, INT, T, vector, type Translate } from './traced-node.ts';

export const unary =
  (op: string): Translate =>
  (inputs) => ({ op, inputs, attrs: { T }, outputs: [first(inputs).shape] });

export const binary =
  (op: string): Translate =>
  (inputs) => {
    const [a, b] = inputs as [tf.TensorInfo, tf.TensorInfo];
    return {
      op,
      inputs,
      attrs: { T },
      outputs: [tf.backend_util.assertAndGetBroadcastShape(a.shape, b.shape)],
    };
  };

export const leakyRelu: Translate = (inputs, attrs) => ({
  ...unary('LeakyRelu')(inputs, attrs),
  attrs: { T, alpha: attr.float(attrs['alpha'] as number) },
});

/** Batch norm with the statistics of training. */
export const batchNorm: Translate = (inputs, attrs) => ({
  ...unary('FusedBatchNormV3')(inputs, attrs),
  attrs: {
    T,
    U: T,
    epsilon: attr.float(attrs['varianceEpsilon'] as number),
    is_training: attr.flag(false),
    data_format: attr.text('NHWC'),
  },
});

/** The mean over axes, which may stay as axes of 1. */
export const mean: Translate = (inputs, attrs) => {
  const x = first(inputs);
  const axes = tf.util.parseAxisParam(attrs['axis'] as number | number[], [...x.shape]);
  const keeps = attrs['keepDims'] === true;
  return {
    op: 'Mean',
    inputs: [x],
    integers: [vector(axes)],
    attrs: { T, Tidx: INT, keep_dims: attr.flag(keeps) },
    outputs: [x.shape.flatMap((d, i) => (axes.includes(i) ? (keeps ? [1] : []) : [d]))],
  };
};

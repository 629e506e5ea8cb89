/** Kernels that compute value by value: arithmetic, activations, batch norm. */
import * as tf from '@tensorflow/tfjs-core';
import { attr } from './graph-def.ts';
import { first, T, type Translate } from './traced-node.ts';

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

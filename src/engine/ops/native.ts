/**
 * Operations of the native engine: TensorFlow's own fused kernels, called through the binding where tfjs-core has
 * no name for them.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { BatchNormResult, EngineOps } from '../engine.ts';
import { withGradient } from '../custom-gradient.ts';
import { portableOps } from './portable.ts';

/** What the kernel backend of tfjs-node offers beyond tfjs-core. */
export interface NativeBackend {
  readonly isUsingGpuDevice: boolean;
  readonly binding: NativeBinding;
  executeSingleOutput(name: string, attributes: NativeAttribute[], inputs: tf.TensorInfo[]): tf.Tensor;
  executeMultipleOutputs(
    name: string,
    attributes: NativeAttribute[],
    inputs: tf.TensorInfo[],
    outputs: number,
  ): tf.Tensor[];
}

export interface NativeBinding {
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_STRING: number;
  readonly TF_FLOAT: number;
  readonly TF_Version: string;
}

export interface NativeAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: number | boolean | string;
}

export function nativeOps(backend: NativeBackend): EngineOps {
  const { binding } = backend;
  const floatType = (name: string): NativeAttribute => ({
    name,
    type: binding.TF_ATTR_TYPE,
    value: binding.TF_FLOAT,
  });
  const batchNormAttributes = (epsilon: number): NativeAttribute[] => [
    floatType('T'),
    floatType('U'),
    { name: 'epsilon', type: binding.TF_ATTR_FLOAT, value: epsilon },
    { name: 'data_format', type: binding.TF_ATTR_STRING, value: 'NHWC' },
    { name: 'is_training', type: binding.TF_ATTR_BOOL, value: true },
  ];

  function batchNormTrain(
    x: tf.Tensor4D,
    gamma: tf.Tensor1D,
    beta: tf.Tensor1D,
    epsilon: number,
  ): BatchNormResult {
    let mean: tf.Tensor1D | undefined;
    let variance: tf.Tensor1D | undefined;
    const y = withGradient<tf.Tensor4D>([x, gamma, beta], (save) => {
      const none = tf.tensor1d([], 'float32');
      const [value, mu, unbiased, reserve1, reserve2, reserve3] = backend.executeMultipleOutputs(
        'FusedBatchNormV3',
        [
          ...batchNormAttributes(epsilon),
          { name: 'exponential_avg_factor', type: binding.TF_ATTR_FLOAT, value: 1 },
        ],
        [x, gamma, beta, none, none],
        6,
      ) as [tf.Tensor4D, tf.Tensor1D, tf.Tensor1D, tf.Tensor, tf.Tensor, tf.Tensor];
      mean = tf.keep(mu);
      variance = tf.keep(unbiased);
      save(x, gamma, reserve1, reserve2, reserve3);
      return {
        value,
        gradient: (dy, saved) =>
          backend
            .executeMultipleOutputs('FusedBatchNormGradV3', batchNormAttributes(epsilon), [dy, ...saved], 5)
            .slice(0, 3),
      };
    });
    if (mean === undefined || variance === undefined) throw new Error('batch norm ran no forward pass');
    return { y, mean, variance };
  }

  function silu<T extends tf.Tensor>(x: T): T {
    return withGradient<T>([x], (save) => {
      const s = tf.sigmoid(x);
      save(x, s);
      return {
        value: tf.mul<T>(x, s),
        // SigmoidGrad(s, x) = x·s·(1 - s) in one kernel.
        gradient: (dy, [input, sig]) => [
          tf.mul(
            dy,
            tf.add(
              sig as tf.Tensor,
              backend.executeSingleOutput(
                'SigmoidGrad',
                [floatType('T')],
                [sig as tf.Tensor, input as tf.Tensor],
              ),
            ),
          ),
        ],
      };
    });
  }

  return { ...portableOps, batchNormTrain, silu };
}

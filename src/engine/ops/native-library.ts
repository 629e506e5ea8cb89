/** Operations of our own library of TensorFlow ops (`src/engine/native-ops`), where it is part of the binding. */
import * as tf from '@tensorflow/tfjs-core';
import type { BatchNormResult, EngineOps } from '../engine.ts';
import { withGradient } from '../custom-gradient.ts';
import type { NativeAttribute, NativeBackend } from './native-backend.ts';
import { libraryConvolution } from './native-convolution.ts';
import { libraryUnpack } from './native-unpack.ts';
import { libraryUpdate } from './native-update.ts';
import { portableOps } from './portable.ts';

/** Whether the loaded binding holds the library. Asks TensorFlow once for the op that says so. */
export function hasNativeLibrary(backend: NativeBackend): boolean {
  try {
    const [threads] = backend.executeMultipleOutputs('SoftshardOps', [], [], 1);
    threads?.dispose();
    return true;
  } catch {
    return false;
  }
}

type BatchNormTensors = readonly [tf.Tensor4D, tf.Tensor1D, tf.Tensor1D, tf.Tensor1D, tf.Tensor1D];

type LibraryOps = Pick<
  EngineOps,
  'conv2d' | 'conv2dBias' | 'batchNormTrain' | 'batchNormSiluTrain' | 'maxPool' | 'unpack' | 'updateVectors'
>;

/** The operations that the library makes faster. */
export function libraryOps(backend: NativeBackend): LibraryOps {
  const { binding } = backend;

  const batchNorm = (
    silu: boolean,
    x: tf.Tensor4D,
    gamma: tf.Tensor1D,
    beta: tf.Tensor1D,
    epsilon: number,
  ): BatchNormResult => {
    const activation: NativeAttribute = { name: 'silu', type: binding.TF_ATTR_BOOL, value: silu };
    const attributes = [activation, { name: 'epsilon', type: binding.TF_ATTR_FLOAT, value: epsilon }];
    let statistics: { readonly mean: tf.Tensor1D; readonly variance: tf.Tensor1D } | undefined;
    const y = withGradient<tf.Tensor4D>([x, gamma, beta], (save) => {
      const inputs = [x, gamma, beta];
      const outputs = backend.executeMultipleOutputs('SoftshardBatchNormTrain', attributes, inputs, 4);
      const [value, mean, variance, inverse] = outputs as [
        tf.Tensor4D,
        tf.Tensor1D,
        tf.Tensor1D,
        tf.Tensor1D,
      ];
      statistics = { mean: tf.keep(tf.clone(mean)), variance: tf.keep(variance) };
      save(x, gamma, beta, mean, inverse);
      return {
        value,
        gradient: (dy, saved) => {
          const [input, g, b, m, inv] = saved as unknown as BatchNormTensors;
          return backend.executeMultipleOutputs(
            'SoftshardBatchNormTrainGrad',
            [activation],
            [dy, input, g, b, m, inv],
            3,
          );
        },
      };
    });
    if (statistics === undefined) throw new Error('batch norm ran no forward pass');
    return { y, ...statistics };
  };

  const maxPool = (x: tf.Tensor4D, window: number, stride: number): tf.Tensor4D => {
    if (stride !== 1 || window % 2 === 0) return portableOps.maxPool(x, window, stride);
    const attributes = [{ name: 'window', type: binding.TF_ATTR_INT, value: window }];
    return withGradient<tf.Tensor4D>([x], (save) => {
      save(x);
      return {
        value: portableOps.maxPool(x, window, 1),
        gradient: (dy, [input]) => [
          backend.executeSingleOutput('SoftshardMaxPoolGrad', attributes, [dy, input as tf.Tensor4D]),
        ],
      };
    });
  };

  return {
    ...libraryConvolution(),
    maxPool,
    unpack: libraryUnpack(),
    updateVectors: libraryUpdate(backend),
    batchNormTrain: (x, gamma, beta, epsilon) => batchNorm(false, x, gamma, beta, epsilon),
    batchNormSiluTrain: (x, gamma, beta, epsilon) => batchNorm(true, x, gamma, beta, epsilon),
  };
}

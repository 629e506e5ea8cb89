/**
 * Operations as TensorFlow.js itself offers them, differentiated by its own gradients: what the wasm engine is compared
 * with. Where its wasm backend has no kernel at all (the filter gradient of a convolution, gather's gradient) ours
 * stand in.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { EngineOps } from '../src/engine/engine.ts';
import { portableOps } from '../src/engine/ops/portable.ts';

const KERNELS = ['Conv2DBackpropInput', 'MaxPoolGrad', 'Slice', 'SplitV'];

/** Remembers the backend's own kernels; to be called before the engine is opened. The result puts them back. */
export function rememberBuiltInKernels(): () => void {
  const known = KERNELS.map((name) => tf.getKernel(name, 'wasm'));
  return () => {
    for (const kernel of known) {
      tf.unregisterKernel(kernel.kernelName, 'wasm');
      tf.registerKernel(kernel);
    }
  };
}

export const builtInOps: EngineOps = {
  ...portableOps,
  batchNormTrain: (x, gamma, beta, epsilon) => {
    const { mean, variance } = tf.moments(x, [0, 1, 2]);
    const y = tf.batchNorm(x, mean as tf.Tensor1D, variance as tf.Tensor1D, beta, gamma, epsilon);
    return {
      y,
      mean: tf.keep(tf.clone(mean as tf.Tensor1D)),
      variance: tf.keep(tf.clone(variance as tf.Tensor1D)),
    };
  },
  silu: (x) => tf.mul(x, tf.sigmoid(x)),
  upsample2: (x) => tf.image.resizeNearestNeighbor(x, [x.shape[1] * 2, x.shape[2] * 2]),
};

/**
 * Script: loads an engine's binding in a process of its own and checks one convolution with both gradients.
 * Prints one JSON object; arguments: the paths of the binding and of the kernel package, and `native-ops` where our
 * own ops are in the binding.
 */
import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import type { NativeBackend } from '../ops/native-backend.ts';
import { libraryOps } from '../ops/native-library.ts';
import { loadKernels } from './load-kernels.ts';

const bindingVersion = z.object({ TF_Version: z.string() });
const bindingShape = z.custom<object & z.infer<typeof bindingVersion>>(
  (value) => bindingVersion.safeParse(value).success,
  'the addon has no TF_Version',
);
/** Loads the addon as tfjs's backend and returns TensorFlow's version and whether a GPU is used. */
const load = (path: string, packageFolder: string): { tensorflow: string; gpu: boolean } => {
  const binding = bindingShape.parse(createRequire(import.meta.url)(path));
  const { NodeJSKernelBackend, registerKernels } = loadKernels<object, tf.KernelBackend>(packageFolder);
  const backend = new NodeJSKernelBackend(binding, '@tensorflow/tfjs-node-gpu');
  tf.registerBackend('tensorflow', () => backend, 3);
  registerKernels();
  return {
    tensorflow: binding.TF_Version,
    gpu: 'isUsingGpuDevice' in backend && backend.isUsingGpuDevice === true,
  };
};

const equal = (name: string, found: tf.Tensor, expected: readonly number[]): void => {
  const values = [...found.dataSync()];
  if (values.length !== expected.length || values.some((value, i) => value !== expected[i]))
    throw new Error(`${name} is [${values.join(' ')}], not [${expected.join(' ')}]`);
};

/** A 3x3 ramp under a 2x2 filter, valid: small whole numbers, so that the comparison is exact. */
const checkConvolution = (): void => {
  const x = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]);
  const w = tf.tensor4d([1, 0, 0, 2], [2, 2, 1, 1]);
  const y = tf.conv2d(x, w, 1, 'valid');
  equal('the convolution', y, [11, 14, 20, 23]);
  const [dx, dw] = tf.grads((a: tf.Tensor, b: tf.Tensor) =>
    tf.sum(tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, 1, 'valid')),
  )([x, w]);
  if (dx === undefined || dw === undefined) throw new Error('a gradient is missing');
  equal('the gradient of the input', dx, [1, 1, 0, 1, 3, 2, 0, 2, 2]);
  equal('the gradient of the filter', dw, [12, 16, 24, 28]);
};

/** Our own batch norm over two pixels: (1, 3) become (-1, 1), in whole numbers again. */
const checkNativeOps = (): void => {
  const { batchNormTrain } = libraryOps(tf.backend() as unknown as NativeBackend);
  const x = tf.tensor4d([1, 3], [1, 1, 2, 1]);
  const { y, mean, variance } = batchNormTrain(x, tf.tensor1d([1]), tf.tensor1d([0]), 0);
  equal('the batch norm', y, [-1, 1]);
  equal('the mean', mean, [2]);
  equal('the variance', variance, [2]);
};

const [, , path, packageFolder, nativeOps] = process.argv;
if (path === undefined || packageFolder === undefined) throw new Error('a path is missing');
const { tensorflow, gpu } = load(path, packageFolder);
await tf.setBackend('tensorflow');
checkConvolution();
if (nativeOps !== undefined && !gpu) checkNativeOps();
process.stdout.write(`${JSON.stringify({ tensorflow, gpu })}\n`);

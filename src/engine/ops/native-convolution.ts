/** Convolutions by our own ops: padding and stride inside the kernel, bias and SiLU on the way out. */
import * as tf from '@tensorflow/tfjs-core';
import type { Conv2dOptions, EngineOps } from '../engine.ts';
import type { NativeAttribute, NativeBackend } from './native-backend.ts';
import { portableOps } from './portable.ts';

const PLAIN = 'SoftshardConv2d';
const WITH_BIAS = 'SoftshardConv2dBias';

interface ConvolutionAttributes {
  readonly stride: number;
  readonly padding: number;
  /** Of the kernel with bias. */
  readonly silu?: boolean;
}

/** The attributes of an op; `shape` is that of the gradient asked for. */
const attributesOf = (
  { binding }: NativeBackend,
  { stride, padding, silu }: ConvolutionAttributes,
  shape?: readonly number[],
): NativeAttribute[] => {
  const integer = (name: string, value: number | readonly number[]): NativeAttribute => ({
    name,
    type: binding.TF_ATTR_INT,
    value,
  });
  const attributes = [integer('stride', stride), integer('padding', padding)];
  if (shape !== undefined) attributes.push(integer('shape', shape));
  if (silu !== undefined) attributes.push({ name: 'silu', type: binding.TF_ATTR_BOOL, value: silu });
  return attributes;
};

const gradFunc: tf.GradFunc = (gradient, saved, attrs) => {
  const dy = gradient as tf.Tensor4D;
  const [x, filter] = saved as [tf.Tensor4D, tf.Tensor4D];
  const { silu = false, ...options } = attrs as unknown as ConvolutionAttributes;
  if (silu) throw new Error('a convolution with bias and SiLU has no gradient');
  const native = tf.backend() as unknown as NativeBackend;
  const run = (name: string, shape: readonly number[], inputs: tf.Tensor[]): tf.Tensor =>
    native.executeSingleOutput(name, attributesOf(native, options, shape), inputs);
  return {
    x: () => run('SoftshardConv2dInputGrad', x.shape, [dy, filter]),
    filter: () => run('SoftshardConv2dFilterGrad', filter.shape, [x, dy]),
    bias: () => native.executeSingleOutput('SoftshardChannelSums', [], [dy]),
  };
};

/** A registered kernel, unlike `customGrad`, computes only the gradients that are asked for. */
function register(kernelName: string, names: readonly string[]): void {
  if (tf.getKernelsForBackend('tensorflow').some((kernel) => kernel.kernelName === kernelName)) return;
  tf.registerKernel({
    kernelName,
    backendName: 'tensorflow',
    kernelFunc: ({ inputs, attrs, backend }) => {
      const native = backend as NativeBackend;
      const attributes = attributesOf(native, attrs as unknown as ConvolutionAttributes);
      return native.executeSingleOutput(
        kernelName,
        attributes,
        names.map((name) => inputs[name] as tf.TensorInfo),
      );
    },
  });
  tf.registerGradient({ kernelName, inputsToSave: ['x', 'filter'], gradFunc });
}

const isPlain = ({ groups = 1, dilation = 1 }: Conv2dOptions): boolean => groups === 1 && dilation === 1;

/** Registers what it needs with tfjs-core. Groups and dilation are left to TensorFlow. */
export function libraryConvolution(): Pick<EngineOps, 'conv2d' | 'conv2dBias'> {
  register(PLAIN, ['x', 'filter']);
  register(WITH_BIAS, ['x', 'filter', 'bias']);
  return {
    conv2d: (x, filter, options) => {
      if (!isPlain(options)) return portableOps.conv2d(x, filter, options);
      const { stride, padding } = options;
      return tf.engine().runKernel<tf.Tensor4D>(PLAIN, { x, filter }, { stride, padding });
    },
    conv2dBias: (x, filter, bias, options, silu) => {
      if (!isPlain(options)) return portableOps.conv2dBias(x, filter, bias, options, silu);
      const { stride, padding } = options;
      return tf.engine().runKernel<tf.Tensor4D>(WITH_BIAS, { x, filter, bias }, { stride, padding, silu });
    },
  };
}

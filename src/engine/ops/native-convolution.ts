/** Convolutions by our own ops: padding and stride inside the kernel, bias and SiLU on the way out. */
import * as tf from '@tensorflow/tfjs-core';
import type { Conv2dOptions, EngineOps } from '../engine.ts';
import { portableOps } from './portable.ts';
import type { NativeAttribute, NativeBackend } from './native-backend.ts';

const KERNEL = 'SoftshardConv2d';

interface ConvolutionAttributes {
  readonly stride: number;
  readonly padding: number;
}

const attributesOf = (
  { binding }: NativeBackend,
  { stride, padding }: ConvolutionAttributes,
  shape?: readonly number[],
): NativeAttribute[] => {
  const integer = (name: string, value: number | readonly number[]): NativeAttribute => ({
    name,
    type: binding.TF_ATTR_INT,
    value,
  });
  return [
    integer('stride', stride),
    integer('padding', padding),
    ...(shape === undefined ? [] : [integer('shape', shape)]),
  ];
};

/** A registered kernel, unlike `customGrad`, computes only the gradients that are asked for. */
function registerConvolution(): void {
  if (tf.getKernelsForBackend('tensorflow').some(({ kernelName }) => kernelName === KERNEL)) return;
  tf.registerKernel({
    kernelName: KERNEL,
    backendName: 'tensorflow',
    kernelFunc: ({ inputs, attrs, backend }) => {
      const native = backend as NativeBackend;
      return native.executeSingleOutput(
        KERNEL,
        attributesOf(native, attrs as unknown as ConvolutionAttributes),
        [inputs['x'] as tf.TensorInfo, inputs['filter'] as tf.TensorInfo],
      );
    },
  });
  tf.registerGradient({
    kernelName: KERNEL,
    inputsToSave: ['x', 'filter'],
    gradFunc: (dy, saved, attrs) => {
      const [x, filter] = saved as [tf.Tensor4D, tf.Tensor4D];
      const native = tf.backend() as unknown as NativeBackend;
      const gradient = (name: string, shape: readonly number[], inputs: tf.Tensor[]): tf.Tensor =>
        native.executeSingleOutput(
          `${KERNEL}${name}`,
          attributesOf(native, attrs as unknown as ConvolutionAttributes, shape),
          inputs,
        );
      return {
        x: () => gradient('InputGrad', x.shape, [dy as tf.Tensor, filter]),
        filter: () => gradient('FilterGrad', filter.shape, [x, dy as tf.Tensor]),
      };
    },
  });
}

const isPlain = ({ groups = 1, dilation = 1 }: Conv2dOptions): boolean => groups === 1 && dilation === 1;

/** Registers what it needs with tfjs-core. Groups and dilation are left to TensorFlow. */
export function libraryConvolution(backend: NativeBackend): Pick<EngineOps, 'conv2d' | 'conv2dBias'> {
  registerConvolution();
  return {
    conv2d: (x, filter, options) =>
      isPlain(options)
        ? tf.engine().runKernel<tf.Tensor4D>(
            KERNEL,
            { x, filter },
            {
              stride: options.stride,
              padding: options.padding,
            },
          )
        : portableOps.conv2d(x, filter, options),
    conv2dBias: (x, filter, bias, options, silu) =>
      isPlain(options)
        ? (backend.executeSingleOutput(
            `${KERNEL}Bias`,
            [
              ...attributesOf(backend, options),
              { name: 'silu', type: backend.binding.TF_ATTR_BOOL, value: silu },
            ],
            [x, filter, bias],
          ) as tf.Tensor4D)
        : portableOps.conv2dBias(x, filter, bias, options, silu),
  };
}

/** Kernels that the wasm backend lacks or has wrong, registered so that tfjs-core differentiates as on any other. */
import * as tf from '@tensorflow/tfjs-core';
import {
  convolutionFilterGradient,
  convolutionInputGradient,
  type ConvAttributes,
  type Shape4,
} from './wasm-convolution-gradients.ts';
import {
  depthwiseFilterGradient,
  depthwiseInputGradient,
  type DepthwiseAttributes,
} from './wasm-depthwise-gradients.ts';
import { sliceKernel, splitKernel } from './wasm-slice.ts';
import { maxPoolGradient } from './wasm-max-pool-gradient.ts';

type KernelArguments = Parameters<tf.KernelFunc>[0];

const KERNELS: Readonly<Record<string, (call: KernelArguments) => tf.TensorInfo | tf.TensorInfo[]>> = {
  Conv2DBackpropFilter: ({ inputs, attrs }) => {
    const options = attrs as unknown as ConvAttributes & { readonly filterShape: Shape4 };
    const { x, dy } = inputs as { x: tf.Tensor4D; dy: tf.Tensor4D };
    return convolutionFilterGradient(x, dy, options.filterShape, options);
  },
  Conv2DBackpropInput: ({ inputs, attrs }) => {
    const options = attrs as unknown as ConvAttributes & { readonly inputShape: Shape4 };
    const { dy, filter } = inputs as { dy: tf.Tensor4D; filter: tf.Tensor4D };
    return convolutionInputGradient(dy, filter, options.inputShape, options);
  },
  DepthwiseConv2dNativeBackpropFilter: ({ inputs, attrs }) => {
    const options = attrs as unknown as DepthwiseAttributes & { readonly filterShape: Shape4 };
    const { x, dy } = inputs as { x: tf.Tensor4D; dy: tf.Tensor4D };
    return depthwiseFilterGradient(x, dy, options.filterShape, options);
  },
  DepthwiseConv2dNativeBackpropInput: ({ inputs, attrs }) => {
    const options = attrs as unknown as DepthwiseAttributes & { readonly inputShape: Shape4 };
    const { dy, filter } = inputs as { dy: tf.Tensor4D; filter: tf.Tensor4D };
    return depthwiseInputGradient(dy, filter, options.inputShape, options);
  },
  Slice: sliceKernel,
  SplitV: splitKernel,
  MaxPoolGrad: ({ inputs, attrs }) => {
    const { dy, input } = inputs as { dy: tf.Tensor4D; input: tf.Tensor4D };
    return maxPoolGradient(dy, input, attrs as unknown as Parameters<typeof maxPoolGradient>[2]);
  },
};

/** Ours compute with numbers; strings are left to the backend's own kernel. */
const orBuiltIn =
  (own: (call: KernelArguments) => tf.TensorInfo | tf.TensorInfo[], builtIn: tf.KernelConfig | undefined) =>
  (call: KernelArguments): tf.TensorInfo | tf.TensorInfo[] =>
    builtIn !== undefined && call.inputs['x']?.dtype === 'string' ? builtIn.kernelFunc(call) : own(call);

/** Gives the wasm backend our kernels. Idempotent. */
export function registerWasmKernels(): void {
  for (const [kernelName, own] of Object.entries(KERNELS)) {
    const builtIn = tf.getKernel(kernelName, 'wasm') as tf.KernelConfig | undefined;
    if (builtIn !== undefined) tf.unregisterKernel(kernelName, 'wasm');
    tf.registerKernel({ kernelName, backendName: 'wasm', kernelFunc: orBuiltIn(own, builtIn) });
  }
}

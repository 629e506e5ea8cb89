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
import { maxPoolGradient } from './wasm-max-pool-gradient.ts';

type KernelArguments = Parameters<tf.KernelFunc>[0];

const KERNELS: Readonly<Record<string, (call: KernelArguments) => tf.TensorInfo>> = {
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
  MaxPoolGrad: ({ inputs, attrs }) => {
    const { dy, input } = inputs as { dy: tf.Tensor4D; input: tf.Tensor4D };
    return maxPoolGradient(dy, input, attrs as unknown as Parameters<typeof maxPoolGradient>[2]);
  },
};

/** Gives the wasm backend our kernels. Idempotent. */
export function registerWasmKernels(): void {
  const known = new Set(tf.getKernelsForBackend('wasm').map((kernel) => kernel.kernelName));
  for (const [kernelName, kernelFunc] of Object.entries(KERNELS)) {
    if (known.has(kernelName)) tf.unregisterKernel(kernelName, 'wasm');
    tf.registerKernel({ kernelName, backendName: 'wasm', kernelFunc });
  }
}

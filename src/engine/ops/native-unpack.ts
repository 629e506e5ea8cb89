/** Parameters out of the flat vector and their gradients back into one, each by one call of our own ops. */
import * as tf from '@tensorflow/tfjs-core';
import type { EngineOps } from '../engine.ts';
import type { NativeBackend } from './native-backend.ts';

const KERNEL = 'SoftshardUnpack';

/** tfjs-core records an operation with several results only as a registered kernel. */
function registerUnpack(): void {
  if (tf.getKernelsForBackend('tensorflow').some(({ kernelName }) => kernelName === KERNEL)) return;
  const integer = (backend: NativeBackend, name: string, value: number | readonly number[]) => ({
    name,
    type: backend.binding.TF_ATTR_INT,
    value,
  });
  tf.registerKernel({
    kernelName: KERNEL,
    backendName: 'tensorflow',
    kernelFunc: ({ inputs, attrs, backend }) => {
      const native = backend as NativeBackend;
      const { shapes } = attrs as unknown as { readonly shapes: readonly (readonly number[])[] };
      const attributes = [
        integer(native, 'N', shapes.length),
        integer(
          native,
          'shapes',
          shapes.flatMap((shape) => [shape.length, ...shape]),
        ),
      ];
      return native.executeMultipleOutputs(
        KERNEL,
        attributes,
        [inputs['flat'] as tf.TensorInfo],
        shapes.length,
      );
    },
  });
  tf.registerGradient({
    kernelName: KERNEL,
    gradFunc: (dy) => ({
      flat: () => {
        const parts = Array.isArray(dy) ? dy : [dy];
        const native = tf.backend() as unknown as NativeBackend;
        return native.executeSingleOutput('SoftshardPack', [integer(native, 'N', parts.length)], parts);
      },
    }),
  });
}

/** Registers what it needs with tfjs-core. */
export function libraryUnpack(): EngineOps['unpack'] {
  registerUnpack();
  return (flat, shapes) => {
    const attributes = { shapes } as unknown as tf.NamedAttrMap;
    const parts: tf.Tensor | tf.Tensor[] = tf.engine().runKernel(KERNEL, { flat }, attributes);
    // A copy: the array itself is what tfjs-core's tape reads.
    return Array.isArray(parts) ? [...parts] : [parts];
  };
}

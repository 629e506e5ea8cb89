/** Loads the native engine: `@tensorflow/tfjs-node-gpu`'s kernels over a binding compiled against current TensorFlow. */
import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs-core';
import { SoftshardError } from '../errors.ts';
import type { Engine } from './engine.ts';
import { softshardHome } from './install/home.ts';
import { findKernelPackage } from './install/kernel-package.ts';
import { loadKernels } from './install/load-kernels.ts';
import { nativeOps, type NativeBackend, type NativeBinding } from './ops/native.ts';

const require = createRequire(import.meta.url);

/**
 * Loads the binding at `bindingPath` and makes it the current backend. Threads and instruction set are those of the
 * process's environment (TF_NUM_INTRAOP_THREADS, ONEDNN_MAX_CPU_ISA), read by TensorFlow when it starts.
 * Throws E_ENGINE with the reason when the library or the npm package cannot be loaded.
 */
export async function openNative(
  bindingPath: string,
  settings: { readonly threads: number; readonly isa: string },
): Promise<Engine> {
  try {
    const binding = require(bindingPath) as NativeBinding;
    const packageFolder = findKernelPackage(softshardHome());
    if (packageFolder === undefined) throw new Error('@tensorflow/tfjs-node-gpu is not installed');
    const { NodeJSKernelBackend, registerKernels } = loadKernels<NativeBinding, NativeBackend>(packageFolder);
    const backend = new NodeJSKernelBackend(binding, '@tensorflow/tfjs-node-gpu');
    if (!('tensorflow' in tf.engine().registryFactory)) {
      tf.registerBackend('tensorflow', () => backend as unknown as tf.KernelBackend, 3);
      registerKernels();
    }
    await tf.setBackend('tensorflow');
    return {
      info: {
        name: 'native',
        tfjs: tf.version_core,
        tensorflow: binding.TF_Version,
        device: backend.isUsingGpuDevice ? 'gpu' : 'cpu',
        threads: settings.threads,
        isa: settings.isa,
      },
      ops: nativeOps(tf.backend() as unknown as NativeBackend),
    };
  } catch (cause) {
    throw new SoftshardError('E_ENGINE', {
      message: 'The native engine could not be loaded.',
      where: bindingPath,
      remedy: 'Run `softshard engine install`, or use --engine wasm.',
      cause,
    });
  }
}

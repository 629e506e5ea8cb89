/** Loads the native engine: `@tensorflow/tfjs-node-gpu`'s kernels over a binding compiled against current TensorFlow. */
import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs-core';
import { SoftshardError } from '../errors.ts';
import type { Engine } from './engine.ts';
import { softshardHome } from './install/home.ts';
import { findKernelPackage } from './install/kernel-package.ts';
import { loadKernels } from './install/load-kernels.ts';
import type { NativeBackend, NativeBinding } from './ops/native-backend.ts';
import { hasNativeLibrary } from './ops/native-library.ts';
import { nativeOps } from './ops/native.ts';

const require = createRequire(import.meta.url);

export interface NativeSettings {
  readonly threads: number;
  readonly isa: string;
  /** Version of our own ops in the binding, to be used where they are there; undefined leaves them unused. */
  readonly nativeOps?: string | undefined;
}

/**
 * Loads the binding at `bindingPath` and makes it the current backend. Threads and instruction set are those of the
 * process's environment (TF_NUM_INTRAOP_THREADS, ONEDNN_MAX_CPU_ISA), read by TensorFlow when it starts.
 * Throws E_ENGINE with the reason when the library or the npm package cannot be loaded.
 */
export async function openNative(bindingPath: string, settings: NativeSettings): Promise<Engine> {
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
    // The kernels are for the CPU: on a GPU every call would copy its tensors there and back.
    const library =
      settings.nativeOps !== undefined && !backend.isUsingGpuDevice && hasNativeLibrary(backend);
    return {
      info: {
        name: 'native',
        tfjs: tf.version_core,
        tensorflow: binding.TF_Version,
        device: backend.isUsingGpuDevice ? 'gpu' : 'cpu',
        threads: settings.threads,
        isa: settings.isa,
        ...(library ? { nativeOps: settings.nativeOps } : {}),
      },
      ops: nativeOps(tf.backend() as unknown as NativeBackend, library),
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

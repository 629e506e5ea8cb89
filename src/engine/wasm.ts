/** The WebAssembly engine: runs anywhere, one thread, with gradients of our own. */
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { SoftshardError } from '../errors.ts';
import type { Engine } from './engine.ts';
import { portableOps } from './ops/portable.ts';
import { registerWasmKernels } from './ops/wasm-kernels.ts';

const require = createRequire(import.meta.url);

/** Makes wasm the current backend. Throws E_ENGINE when the module cannot be instantiated. */
export async function openWasm(): Promise<Engine> {
  setWasmPaths(join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist') + sep);
  const ready = await tf.setBackend('wasm').catch(() => false);
  if (!ready) {
    throw new SoftshardError('E_ENGINE', {
      message: 'The wasm engine could not be started.',
      remedy: 'Check that this Node build supports WebAssembly SIMD (Node >= 20.19 does).',
    });
  }
  registerWasmKernels();
  return {
    info: { name: 'wasm', tfjs: tf.version_core, device: 'cpu', threads: 1, isa: 'wasm-simd' },
    ops: portableOps,
  };
}

/** Chooses and opens the engine of this process. */
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import { reasonOf, SoftshardError } from '../errors.ts';
import { openCpu } from './cpu.ts';
import type { Engine, EngineName } from './engine.ts';
import { findGpu } from './install/gpu-device.ts';
import { findNativeEngine, isFound } from './install/index.ts';
import { nativeReason } from './native-reason.ts';
import { openNative } from './native.ts';
import { openWasm } from './wasm.ts';

// Registers the gradients of tfjs-core's operations. Required, since an import would parse the bundle twice.
createRequire(import.meta.url)('@tensorflow/tfjs');

export const ENGINE_NAMES = ['native', 'wasm', 'cpu'] as const satisfies readonly EngineName[];

/** What one engine is on this machine, without loading it. */
export interface EngineDescription {
  readonly name: EngineName;
  readonly available: boolean;
  /** Why it is not available, or what it is. */
  readonly reason: string;
  readonly version?: string;
  readonly device?: string;
}

/** All engines in order of preference, with what was found and what was not. */
export function describeEngines(): EngineDescription[] {
  const native = findNativeEngine();
  return [
    isFound(native)
      ? {
          name: 'native',
          available: true,
          reason: `TensorFlow ${native.tensorflow} at ${native.folder}`,
          version: native.tensorflow,
          device: native.device,
        }
      : { name: 'native', available: false, reason: native.missing },
    {
      name: 'wasm',
      available: true,
      reason: 'runs anywhere, one thread',
      version: tf.version_core,
      device: 'cpu',
    },
    {
      name: 'cpu',
      available: true,
      reason: 'plain JavaScript, for tests only',
      version: tf.version_core,
      device: 'cpu',
    },
  ];
}

export interface OpenOptions {
  /** Threads of the native engine; those of TF_NUM_INTRAOP_THREADS, else of the machine, by default. */
  readonly threads?: number;
}

/** An opened engine and, where nobody asked for it by name, why it was chosen. */
export interface ChosenEngine {
  readonly engine: Engine;
  readonly reason: string;
}

/**
 * Opens the engine asked for, or the best there is: native, else wasm. One engine a process: a second call with
 * another name changes the backend of the whole process, and is for tests.
 * Throws E_ENGINE when the engine asked for by name cannot be used.
 */
export async function openEngine(name?: EngineName, options: OpenOptions = {}): Promise<ChosenEngine> {
  tf.enableProdMode();
  if (name === 'wasm') return { engine: await openWasm(), reason: 'asked for' };
  if (name === 'cpu') return { engine: await openCpu(), reason: 'asked for' };
  const native = findNativeEngine();
  if (isFound(native)) {
    const configured = Number(process.env['TF_NUM_INTRAOP_THREADS']);
    const settings = {
      threads: options.threads ?? (configured > 0 ? configured : availableParallelism()),
      isa: process.env['ONEDNN_MAX_CPU_ISA'] ?? 'default',
      nativeOps: process.env['SOFTSHARD_NATIVE_OPS'] === '0' ? undefined : native.nativeOps,
    };
    try {
      const engine = await openNative(native.bindingPath, settings);
      return {
        engine,
        reason: nativeReason(name !== undefined, native.device, engine.info.device, findGpu()),
      };
    } catch (error) {
      if (name === 'native') throw error;
      return { engine: await openWasm(), reason: `the native engine failed: ${reasonOf(error)}` };
    }
  }
  if (name === 'native') {
    throw new SoftshardError('E_ENGINE', {
      message: 'The native engine is not installed.',
      found: native.missing,
      remedy: 'Run `softshard engine install`, or use --engine wasm.',
    });
  }
  return { engine: await openWasm(), reason: `no native engine: ${native.missing}` };
}

/** Loads the kernels of @tensorflow/tfjs-node-gpu from wherever the package lies. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import util from 'node:util';

/** What the package's modules are asked for. */
export interface KernelModules<Binding, Backend> {
  readonly NodeJSKernelBackend: new (binding: Binding, packageName: string) => Backend;
  /** Registers the kernels for the backend `tensorflow`; a second call does nothing. */
  readonly registerKernels: () => void;
}

/** By which name a module of this process is handed to a copy of the package that lies outside node_modules. */
export const SHARED_MODULE_KEY = 'softshard.module.';

const require = createRequire(import.meta.url);

/**
 * Loads the package in `packageFolder`. TensorFlow.js is always the copy of this process: two copies would not see
 * each other's kernels.
 *
 * @throws What Node throws for a module that is missing or broken.
 */
export const loadKernels = <Binding, Backend>(packageFolder: string): KernelModules<Binding, Backend> => {
  // The package calls what Node >= 23 removed, and what newer ones warn of on every process.
  Object.assign(util, {
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
    isArray: Array.isArray,
  });
  for (const name of ['@tensorflow/tfjs', '@tensorflow/tfjs-core'])
    Reflect.set(globalThis, Symbol.for(SHARED_MODULE_KEY + name), require(name));
  const { NodeJSKernelBackend } = require(join(packageFolder, 'dist/nodejs_kernel_backend.js')) as Pick<
    KernelModules<Binding, Backend>,
    'NodeJSKernelBackend'
  >;
  return {
    NodeJSKernelBackend,
    registerKernels: () => {
      require(join(packageFolder, 'dist/register_all_kernels.js'));
    },
  };
};

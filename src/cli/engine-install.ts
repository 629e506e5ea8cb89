/** `softshard engine install`. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { installEngine, isOffline, softshardHome } from '../engine/install/index.ts';
import { defineStep, stepMain } from '../flow/step-main.ts';

export const command = defineStep({
  name: 'engine-install',
  summary:
    'Installs the native engine: fetches TensorFlow’s wheel with pip, compiles the binding to it and tests it. A second call finds it and does nothing.',
  environment: 'none',
  options: z.strictObject({
    device: z
      .enum(['cpu', 'gpu'])
      .default('cpu')
      .describe('what the engine computes on; gpu needs an NVIDIA driver and takes CUDA with it'),
    from: z
      .string()
      .optional()
      .describe('wheel that is already on this machine, or the folder of the wheels; nothing is downloaded')
      .meta({ placeholder: 'FILE' }),
    kernels: z
      .array(z.string())
      .default([])
      .describe(
        'tarballs of @tensorflow/tfjs-node-gpu and google-protobuf that are already on this machine, where npm dropped that optional package',
      )
      .meta({ placeholder: 'FILE', repeat: true }),
    home: z
      .string()
      .optional()
      .describe('where engines are kept; by default SOFTSHARD_HOME, else the user’s cache folder')
      .meta({ placeholder: 'DIR' }),
  }),
  run: async ({ device, from, kernels, home }, context) => {
    const { engine, state } = await installEngine({
      device,
      home: home === undefined ? softshardHome() : resolve(home),
      offline: isOffline(),
      onMessage: (line) => context.info(line),
      signal: context.signal,
      ...(from === undefined ? {} : { wheelFile: resolve(from) }),
      kernelFiles: kernels.map((file) => resolve(file)),
    });
    return { ...engine, state };
  },
  describe: ({ name, folder, state }) =>
    state === 'found' ? `${name} is already installed in ${folder}` : `installed ${name} in ${folder}`,
  resume: () => 'Nothing half-made is left. Run the same command again.',
});

stepMain(import.meta.url, command);

/** `softshard demo`: the engine if it can be had, then the pipeline `shapes`. */
import { z } from 'zod';
import { ensureNativeEngine, isFound } from '../engine/install/index.ts';
import { defineStep, stepMain } from '../flow/step-main.ts';
import { runPipeline } from './run.ts';

export const command = defineStep({
  name: 'demo',
  summary:
    'Renders a small detection set, caches what a teacher says about it, trains a student from the cache and compares.',
  environment: 'none',
  options: z.strictObject({
    engine: z.enum(['native', 'wasm', 'cpu']).optional().describe('engine; by default native, else wasm'),
    set: z
      .record(z.string(), z.unknown())
      .default({})
      .describe('an option of the pipeline shapes; repeat it for more'),
  }),
  run: async ({ engine, set }, context) => {
    if (engine === undefined || engine === 'native') {
      const found = await ensureNativeEngine({
        onMessage: (line) => context.info(line),
        signal: context.signal,
      });
      if (isFound(found)) context.info(`native engine: TensorFlow ${found.tensorflow}`);
    }
    return runPipeline('shapes', { ...set, ...(engine === undefined ? {} : { engine }) }, context);
  },
  describe: ({ text }) => text,
});

stepMain(import.meta.url, command);

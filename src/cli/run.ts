/** `softshard run PIPELINE`: runs a pipeline file with its options. */
import { z } from 'zod';
import { isSoftshardError } from '../errors.ts';
import { contextAround } from '../flow/step-context.ts';
import { defineStep, stepMain, type StepContext } from '../flow/step-main.ts';
import { optionSpecs } from './option-spec.ts';
import { validateOptions } from './options.ts';
import { findPipeline, loadPipeline, pipelineFailure } from './pipeline-file.ts';

/** A context that reports under the name of the pipeline in the place of that of the command. */
const contextOf = (context: StepContext, step: string): StepContext => {
  const { signal, run } = context;
  return contextAround({ signal, run, step, emit: (event) => context.emit({ step, run, ...event }) });
};

/** Runs the pipeline `name` (a path or a shipped one) with plain option values. */
export const runPipeline = async (
  name: string,
  settings: Readonly<Record<string, unknown>>,
  context: StepContext,
): Promise<{ readonly result: unknown; readonly text: string }> => {
  const file = findPipeline(name);
  const command = await loadPipeline(file);
  const names = optionSpecs(command.options).map((spec) => [spec.name, spec.key] as const);
  // `--set batch-size=4` is as good as `--set batchSize=4`.
  const keys = new Map<string, string>(
    names.flatMap(([kebab, key]) => [
      [kebab, key],
      [kebab.replaceAll('-', '_'), key],
    ]),
  );
  const values = Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [keys.get(key) ?? key, value]),
  );
  const options = validateOptions(command.options, values);
  try {
    const result = await command.run(options, contextOf(context, command.name));
    return { result, text: command.describe?.(result) ?? '' };
  } catch (error) {
    if (isSoftshardError(error) || context.signal.aborted) throw error;
    throw pipelineFailure('The pipeline threw.', file, error);
  }
};

export const command = defineStep({
  name: 'run',
  summary: 'Runs a pipeline: a TypeScript file that composes steps. Each step is a process of its own.',
  environment: 'none',
  options: z.strictObject({
    pipeline: z
      .string()
      .describe('pipeline file, or the name of one that comes with the package')
      .meta({ positional: true, placeholder: 'PIPELINE' }),
    set: z
      .record(z.string(), z.unknown())
      .default({})
      .describe('an option of the pipeline; repeat it for more'),
  }),
  run: ({ pipeline, set }, context) => runPipeline(pipeline, set, context),
  describe: ({ text }) => text,
});

stepMain(import.meta.url, command);

/**
 * What a pipeline is made of: steps, run one after another as processes of their own, with typed options and results.
 * What a pipeline runs is what a person would type, and it is printed so.
 */
import type { z } from 'zod';
import { argvOf, commandLine } from './cli/argv-of.ts';
import type { SoftshardEvent } from './flow/events.ts';
import type { StepCommand, StepContext } from './flow/step-command.ts';
import { runStep } from './flow/step-process.ts';

/**
 * Runs the script of `command` in a process of its own, and passes its events on.
 *
 * @param values The options by their keys in the schema (`batchSize`); what is left out has its default.
 * @param script A step's name, or the absolute path of a script that calls `stepMain`; by default the command's name.
 * @returns The step's result, plain data.
 * @throws The step's own error, rebuilt with its code; E_STEP_FAILED; E_ABORTED after the context's signal.
 */
export const runCommand = async <S extends z.ZodType, R>(
  command: StepCommand<S, R>,
  values: z.input<S>,
  context: Pick<StepContext, 'signal' | 'info'> & { emit(event: SoftshardEvent): void },
  script: string = command.name,
): Promise<R> => {
  const argv = argvOf(command.options, values);
  context.info(commandLine(command.name, argv));
  // The schema of the result is the step's own: both sides are the same build.
  return (await runStep({
    script,
    argv,
    signal: context.signal,
    onEvent: (event) => {
      if (event.type !== 'done' && event.type !== 'failed') context.emit(event);
    },
  })) as R;
};

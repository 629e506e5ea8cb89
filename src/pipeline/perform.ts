/** Runs a step of a pipeline in a process of its own. */
import { commandLine } from '../cli/argv-of.ts';
import type { StepContext } from '../flow/step-command.ts';
import { modulePath } from '../flow/script-path.ts';
import { runStep } from '../flow/step-process.ts';
import type { Step } from './steps.ts';

/**
 * Prints the command line that would do it alone, runs it, passes its events on, and reads its result.
 *
 * @throws The step's own error, rebuilt with its code; E_STEP_FAILED; E_ABORTED after the context's signal.
 */
export const perform = async <T>(step: Step<T>, context: StepContext): Promise<T> => {
  const { label = step.name } = step;
  context.emit({ type: 'info', message: commandLine(step.name, step.argv), run: context.run, step: label });
  const { signal } = context;
  const result = await runStep({
    script: step.script.startsWith('src/') ? modulePath(step.script) : step.script,
    argv: step.argv,
    signal,
    onEvent: (event) => {
      // The end of one step is not that of the pipeline.
      if (event.type === 'done' || event.type === 'failed') return;
      context.emit({ ...event, step: label });
    },
  });
  return step.decode(result);
};

/** Tells how a step failed, and with which exit code its process ends. */
import type { StepOutput } from '../cli/step-output.ts';
import { exitCodeOf, isSoftshardError, SoftshardError, toErrorRecord } from '../errors.ts';
import { interruptionOf } from './interrupt.ts';
import type { StepContext } from './step-command.ts';

/** Whether an error says no more than that the work was cancelled. */
const isAbort = (error: unknown, signal: AbortSignal): boolean =>
  isSoftshardError(error, 'E_ABORTED') ||
  error === signal.reason ||
  (error instanceof Error && error.name === 'AbortError');

/** Reports an error, or that the step was interrupted and how to go on. Returns the exit code. */
export const reportFailure = (
  error: unknown,
  context: StepContext,
  output: StepOutput,
  goOn: string,
): number => {
  const interruption = interruptionOf(context.signal);
  if (interruption === undefined || !isAbort(error, context.signal)) {
    context.emit({ type: 'failed', error: toErrorRecord(error) });
    output.error(error);
    return exitCodeOf(error);
  }
  const aborted = new SoftshardError('E_ABORTED', { message: `${interruption.message}.`, remedy: goOn });
  context.emit({ type: 'failed', error: aborted.toJSON() });
  output.error(aborted);
  return interruption.exitCode;
};

/** Runs a step in a process of its own that shows itself on this one's terminal. */
import { outputAskedFor } from '../cli/split-arguments.ts';
import { createOutput, outputStreams, silentOutput } from '../cli/step-output.ts';
import { reportFailure } from './report-failure.ts';
import { makeContext } from './step-context.ts';
import { machineEnvironment, type Environment, type StepEnvironmentOptions } from './step-environment.ts';
import { openHost, type StepHost } from './step-host.ts';
import { followStep, stepFailure } from './step-process.ts';

export interface Elsewhere {
  /** The step's name. */
  readonly name: string;
  /** Absolute path of its script. */
  readonly script: string;
  readonly argv: readonly string[];
  readonly engine: StepEnvironmentOptions;
  readonly env: Environment;
}

/** Runs the script and returns its exit code. Throws E_STEP_FAILED when it ended without telling. */
export const runElsewhere = async (step: Elsewhere, host: StepHost): Promise<number> => {
  const { name, script, argv, engine, env } = step;
  const exit = await followStep({
    ...{ script, argv, engine, env },
    display: host.display,
    signal: host.interrupts.signal,
    ...(host.pipe === undefined ? {} : { onEvent: host.pipe.send }),
  });
  if (exit.last !== undefined && exit.code !== undefined) return exit.code;
  throw stepFailure(name, exit, host.interrupts.signal);
};

/**
 * Runs a step's script without loading it here first: the environment is that of an engine with all processors, and
 * the step corrects it if need be. Prints only what the step cannot tell itself. Returns the exit code.
 */
export const executeElsewhere = async (
  name: string,
  argv: readonly string[],
  script: string,
): Promise<number> => {
  const host = openHost();
  const output =
    host.display === 'none' ? silentOutput : createOutput(outputAskedFor(argv), outputStreams(process));
  try {
    const engine = machineEnvironment();
    return await runElsewhere({ name, script, argv, engine, env: process.env }, host);
  } catch (error) {
    return reportFailure(
      error,
      makeContext(name, host, output),
      output,
      'Run the same command again to go on.',
    );
  } finally {
    await host.pipe?.flush();
    host.interrupts.stop();
  }
};

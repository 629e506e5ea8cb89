/** Runs a step as its script does: options, environment, progress, result, exit code. */
import { helpText } from '../cli/option-help.ts';
import { optionSpecs } from '../cli/option-spec.ts';
import { validateOptions } from '../cli/options.ts';
import { outputAskedFor, splitArguments } from '../cli/split-arguments.ts';
import { createOutput, outputOptions, outputStreams, silentOutput } from '../cli/step-output.ts';
import { EXIT } from '../errors.ts';
import { reportFailure } from './report-failure.ts';
import { runElsewhere } from './run-elsewhere.ts';
import type { StepCommand } from './step-command.ts';
import { makeContext } from './step-context.ts';
import { isStepEnvironment, machineEnvironment, type StepEnvironmentOptions } from './step-environment.ts';
import { openHost, RESTARTED } from './step-host.ts';

/** The environment that a step with these options needs, or undefined when any will do. */
const wantedEnvironment = async (
  command: StepCommand,
  options: unknown,
): Promise<StepEnvironmentOptions | undefined> => {
  if (command.environment === 'none') return undefined;
  if (command.environment !== undefined) return command.environment(options);
  const threads =
    typeof options === 'object' && options !== null && 'threads' in options ? options.threads : undefined;
  return { ...machineEnvironment(), ...(typeof threads === 'number' ? { threads } : {}) };
};

/**
 * Runs a step in this process, or in a child of it where the environment must be another. Prints progress, result
 * and errors.
 *
 * @param script Absolute path of the script that calls `stepMain` with this command.
 * @returns The exit code: 0, 1 failure, 2 usage, 130 SIGINT, 143 SIGTERM.
 */
export const executeStep = async (
  command: StepCommand,
  argv: readonly string[],
  script: string,
  program = `softshard ${command.name}`,
): Promise<number> => {
  const host = openHost();
  const silent = host.display === 'none';
  let output = silent ? silentOutput : createOutput(outputAskedFor(argv), outputStreams(process));
  let context = makeContext(command.name, host, output);
  let goOn = 'Run the same command again to go on.';
  try {
    const given = splitArguments(command, argv);
    if (given.help) {
      const [specs, commonSpecs] = [optionSpecs(command.options), optionSpecs(outputOptions)];
      output.text(helpText({ command: program, summary: command.summary, specs, commonSpecs }));
      return EXIT.ok;
    }
    const own = (await command.complete?.(given.own)) ?? given.own;
    const options = validateOptions(command.options, own);
    if (!silent) output = createOutput(validateOptions(outputOptions, given.output), outputStreams(process));
    context = makeContext(command.name, host, output);
    goOn = command.resume?.(options) ?? goOn;
    const engine = await wantedEnvironment(command, options);
    if (engine !== undefined && !host.isRestarted && !isStepEnvironment(process.env, engine))
      return await runElsewhere(
        { name: command.name, script, argv, engine, env: { ...process.env, [RESTARTED]: '1' } },
        host,
      );
    const result = await command.run(options, context);
    const text = command.describe?.(result) ?? '';
    context.emit({ type: 'done', message: text.split('\n')[0] ?? '', result });
    output.result(result, text);
    return command.exitCode?.(result) ?? EXIT.ok;
  } catch (error) {
    return reportFailure(error, context, output, goOn);
  } finally {
    await host.pipe?.flush();
    host.interrupts.stop();
  }
};

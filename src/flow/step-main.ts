/** What a step's script calls: `node stages/teach.ts ...` behaves as `softshard teach ...` does. */
import { realpathSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import { helpText } from '../cli/option-help.ts';
import { optionSpecs } from '../cli/option-spec.ts';
import { validateOptions } from '../cli/options.ts';
import { parseArgv } from '../cli/parse-argv.ts';
import { createOutput, outputOptions, silentOutput, type StepOutput } from '../cli/step-output.ts';
import { EXIT, SoftshardError, exitCodeOf, isSoftshardError, reasonOf, toErrorRecord } from '../errors.ts';
import { interruptionOf, watchInterrupts, type Interrupts } from './interrupt.ts';
import { openParentPipe, type ParentPipe } from './parent-pipe.ts';
import type { StepCommand, StepContext } from './step-command.ts';
import { isStepEnvironment, type StepEnvironmentOptions } from './step-environment.ts';
import { DISPLAY, followStep, stepFailure } from './step-process.ts';

export { defineStep, isStepCommand } from './step-command.ts';
export type { EventBody, StepCommand, StepContext } from './step-command.ts';

/** Tells a process that it was started for its environment, so that it does not start another. */
const RESTARTED = 'SOFTSHARD_RESTARTED';

/** How long a process may take to its checkpoint after its parent has ended, milliseconds. */
const ORPHAN_MS = 60_000;

const takeVariable = (name: string): string | undefined => {
  const value = process.env[name];
  Reflect.deleteProperty(process.env, name);
  return value;
};

/** The environment that a step with these options needs, or undefined when any will do. */
const wantedEnvironment = async (
  command: StepCommand,
  options: unknown,
): Promise<StepEnvironmentOptions | undefined> => {
  if (command.environment === 'none') return undefined;
  if (command.environment !== undefined) return command.environment(options);
  const threads =
    typeof options === 'object' && options !== null && 'threads' in options ? options.threads : undefined;
  return { threads: typeof threads === 'number' ? threads : availableParallelism(), isa: 'default' };
};

interface Process {
  readonly display: 'own' | 'none';
  readonly isRestarted: boolean;
  readonly pipe: ParentPipe | undefined;
  readonly interrupts: Interrupts;
}

const openProcess = (): Process => {
  const interrupts = watchInterrupts();
  const pipe = openParentPipe();
  const onGone = (): void => {
    interrupts.interrupt('SIGTERM');
    setTimeout(() => process.exit(EXIT.sigterm), ORPHAN_MS).unref();
  };
  if (pipe?.gone.aborted === true) onGone();
  pipe?.gone.addEventListener('abort', onGone);
  // A reader that has gone must not keep the step from its checkpoint.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  return {
    display: takeVariable(DISPLAY) === 'none' ? 'none' : 'own',
    isRestarted: takeVariable(RESTARTED) === '1',
    pipe,
    interrupts,
  };
};

const makeContext = (command: StepCommand, host: Process, output: StepOutput): StepContext => {
  const step = command.name;
  const run = `${step}-${process.pid}`;
  const emit: StepContext['emit'] = (body) => {
    const event = { run, step, ...body };
    host.pipe?.send(event);
    output.event(event);
  };
  return {
    signal: host.interrupts.signal,
    run,
    step,
    emit,
    info: (message) => emit({ type: 'info', message }),
    warn: (message) => emit({ type: 'warn', message }),
  };
};

/** Whether an error says no more than that the work was cancelled. */
const isAbort = (error: unknown, signal: AbortSignal): boolean =>
  isSoftshardError(error, 'E_ABORTED') ||
  error === signal.reason ||
  (error instanceof Error && error.name === 'AbortError');

const reportFailure = (error: unknown, context: StepContext, output: StepOutput, goOn: string): number => {
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

/** Starts the step over in a process with the right environment, and ends as that one does. */
const runElsewhere = async (
  command: StepCommand,
  script: string,
  argv: readonly string[],
  engine: StepEnvironmentOptions,
  host: Process,
): Promise<number> => {
  const exit = await followStep({
    script,
    argv,
    engine,
    env: { ...process.env, [RESTARTED]: '1' },
    display: host.display,
    signal: host.interrupts.signal,
    ...(host.pipe === undefined ? {} : { onEvent: host.pipe.send }),
  });
  if (exit.last !== undefined && exit.code !== undefined) return exit.code;
  throw stepFailure(command.name, exit, host.interrupts.signal);
};

const split = (
  command: StepCommand,
  argv: readonly string[],
): { own: Record<string, unknown>; output: Record<string, unknown>; help: boolean } => {
  const outputSpecs = optionSpecs(outputOptions);
  const { values, help } = parseArgv([...optionSpecs(command.options), ...outputSpecs], argv);
  const isOutput = (key: string): boolean => outputSpecs.some((spec) => spec.key === key);
  const entries = Object.entries(values);
  return {
    own: Object.fromEntries(entries.filter(([key]) => !isOutput(key))),
    output: Object.fromEntries(entries.filter(([key]) => isOutput(key))),
    help,
  };
};

/** Finds `--json` and `--events` even in arguments that cannot be parsed, so that the error is told as asked. */
const outputAskedFor = (argv: readonly string[]): z.output<typeof outputOptions> => ({
  json: argv.includes('--json'),
  events: argv.some((word, i) => word === '--events=json' || (word === '--events' && argv[i + 1] === 'json'))
    ? 'json'
    : undefined,
});

const streams = { out: process.stdout, err: process.stderr, environment: process.env };

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
  const host = openProcess();
  const silent = host.display === 'none';
  let output = silent ? silentOutput : createOutput(outputAskedFor(argv), streams);
  let context = makeContext(command, host, output);
  let goOn = 'Run the same command again to go on.';
  try {
    const given = split(command, argv);
    if (given.help) {
      const [specs, commonSpecs] = [optionSpecs(command.options), optionSpecs(outputOptions)];
      output.text(helpText({ command: program, summary: command.summary, specs, commonSpecs }));
      return EXIT.ok;
    }
    const options = validateOptions(command.options, given.own);
    if (!silent) output = createOutput(validateOptions(outputOptions, given.output), streams);
    context = makeContext(command, host, output);
    goOn = command.resume?.(options) ?? goOn;
    const engine = await wantedEnvironment(command, options);
    if (engine !== undefined && !host.isRestarted && !isStepEnvironment(process.env, engine))
      return await runElsewhere(command, script, argv, engine, host);
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

/** Whether the module `url` is the script that node was started with. */
export const isMain = (url: string): boolean => {
  const [, script] = process.argv;
  if (script === undefined || !url.startsWith('file:')) return false;
  try {
    return realpathSync(script) === realpathSync(fileURLToPath(url));
  } catch {
    return false;
  }
};

const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => stream.write('', () => resolve()));

/** Ends the process with `code` once everything printed has left it. Handles that are still open do not hold it. */
export const exitWith = async (code: number): Promise<never> => {
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(code);
};

/**
 * Makes a module a script: `stepMain(import.meta.url, command)` at its end runs the command when node was started
 * with this file, and does nothing when the module is imported. Not awaited: a module with a top-level `await` could
 * not be required by a CommonJS pipeline.
 */
export const stepMain = (url: string, command: StepCommand): void => {
  if (!isMain(url)) return;
  executeStep(command, process.argv.slice(2), fileURLToPath(url)).then(exitWith, (error: unknown) => {
    process.stderr.write(`${reasonOf(error)}\n`);
    return exitWith(EXIT.failure);
  });
};

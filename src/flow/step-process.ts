/** Runs a step as a process of its own: what a user types is what a pipeline runs. */
import { spawn, type ChildProcess } from 'node:child_process';
import { basename, extname } from 'node:path';
import { createInterface } from 'node:readline';
import type { Duplex, Readable } from 'node:stream';
import { SoftshardError, fromErrorRecord, reasonOf } from '../errors.ts';
import { CHANNEL_FD, createChannel, type Channel } from './channel.ts';
import type { SoftshardEvent } from './events.ts';
import { interruptionOf } from './interrupt.ts';
import { isNoise, noiseFilter } from './known-noise.ts';
import { PARENT_FD } from './parent-pipe.ts';
import { fileCommand, scriptCommand, type ScriptCommand } from './script-path.ts';
import {
  machineEnvironment,
  stepEnvironment,
  type Environment,
  type StepEnvironmentOptions,
} from './step-environment.ts';

/** Variable by which a parent that shows the events itself silences its child. */
export const DISPLAY = 'SOFTSHARD_DISPLAY';

/** Variable by which a parent on a terminal tells a child, whose lines it passes on, how wide that is. */
export const COLUMNS = 'SOFTSHARD_COLUMNS';

export interface RunStepOptions {
  /** A step's name (`teach`: `stages/teach`), or the absolute path of a script that calls `stepMain`. */
  readonly script: string;
  /** Arguments, as a person would type them. */
  readonly argv: readonly string[];
  /** The child's environment before the engine's variables are added; this process's by default. */
  readonly env?: Environment;
  /** Threads and instruction set; by default all processors and the machine's. The child corrects them if need be. */
  readonly engine?: StepEnvironmentOptions;
  /** Asks the child to end at its next checkpoint, by SIGINT if that is why it aborts, else by SIGTERM. */
  readonly signal?: AbortSignal;
  /** Takes each event of the child, in order. */
  readonly onEvent?: (event: SoftshardEvent) => void;
  /** `own`: the child shows its progress on this terminal; `none` (default): only events tell. */
  readonly display?: 'own' | 'none';
  /** Called with the child's pid once it runs. */
  readonly onStart?: (pid: number) => void;
  /** Takes this end of a channel to the child, which is opened where this is given. */
  readonly onChannel?: (channel: Channel) => void;
}

/** How a step's process ended. */
export interface StepExit {
  /** Exit code, or undefined when a signal ended it. */
  readonly code: number | undefined;
  readonly signalName: NodeJS.Signals | undefined;
  /** The step's `done` or `failed` event, if it got that far. */
  readonly last: SoftshardEvent | undefined;
  /** The last lines on standard error; empty where the child showed them itself. */
  readonly lastLines: readonly string[];
}

const KEPT_LINES = 12;

const commandOf = (script: string): ScriptCommand =>
  script.startsWith('/') ? fileCommand(script) : scriptCommand(`stages/${script}`);

const parseEvent = (line: string): SoftshardEvent | undefined => {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'type' in value
      ? (value as SoftshardEvent)
      : undefined;
  } catch {
    // The line that a dying process did not finish.
    return undefined;
  }
};

/** Calls `onLine` for each line; resolves at the end, also after an error. */
const readLines = (stream: Readable, onLine: (line: string) => void): Promise<void> =>
  new Promise((resolve) => {
    const lines = createInterface({ input: stream, crlfDelay: Infinity });
    lines.on('line', onLine).on('close', () => resolve());
    stream.on('error', () => lines.close());
  });

/** Shows what a child writes on this process's standard error; resolves at the end. */
const passOn = (stream: Readable): Promise<void> =>
  new Promise((resolve) => {
    const filter = noiseFilter();
    const show = (text: string): void => {
      if (text !== '') process.stderr.write(text);
    };
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => show(filter.take(text)));
    stream.on('error', () => undefined);
    stream.on('close', () => {
      show(filter.end());
      resolve();
    });
  });

const ended = (child: ChildProcess): Promise<Pick<StepExit, 'code' | 'signalName'>> =>
  new Promise((resolve, reject) => {
    child.on('error', (error) =>
      reject(
        new SoftshardError('E_STEP_FAILED', {
          message: 'The process of a step could not be started.',
          found: reasonOf(error),
          cause: error,
        }),
      ),
    );
    child.on('exit', (code, signalName) =>
      resolve({ code: code ?? undefined, signalName: signalName ?? undefined }),
    );
  });

/** Time for what a process wrote to arrive after it has ended, milliseconds; others may hold its pipes open. */
const DRAIN_MS = 2000;

/**
 * Starts a step and waits until its process has ended, whatever the outcome. The child leads a group of its own, so
 * that a Ctrl-C reaches it once, through the parent; it ends by itself when this process does.
 *
 * @throws E_STEP_FAILED only when it cannot be started.
 */
export const followStep = async (options: RunStepOptions): Promise<StepExit> => {
  const { signal, display = 'none' } = options;
  const { file, nodeArguments } = commandOf(options.script);
  const engine = options.engine ?? machineEnvironment();
  const { isTTY, columns } = process.stderr;
  const child = spawn(process.execPath, [...nodeArguments, file, ...options.argv], {
    stdio: [
      ...(['ignore', display === 'own' ? 'inherit' : 'pipe', 'pipe', 'pipe'] as const),
      ...(options.onChannel === undefined ? [] : (['pipe'] as const)),
    ],
    detached: true,
    env: {
      ...stepEnvironment(options.env ?? process.env, engine),
      ...{ [PARENT_FD]: '3', [DISPLAY]: display },
      ...(options.onChannel === undefined ? {} : { [CHANNEL_FD]: '4' }),
      ...(display === 'own' && isTTY ? { [COLUMNS]: String(Math.max(20, columns || 100)) } : {}),
    },
  });
  const interrupt = (): void => {
    child.kill(interruptionOf(signal)?.signalName ?? 'SIGTERM');
  };
  const end = ended(child);
  const lastLines: string[] = [];
  let last: SoftshardEvent | undefined;
  const streams: Promise<void>[] = [];
  const onEventLine = (line: string): void => {
    const event = parseEvent(line);
    if (event === undefined) return;
    if (event.type === 'done' || event.type === 'failed') last = event;
    options.onEvent?.(event);
  };
  const onErrorLine = (line: string): void => {
    if (isNoise(line)) return;
    lastLines.push(line);
    if (lastLines.length > KEPT_LINES) lastLines.shift();
  };
  const events = child.stdio[3];
  if (events !== null && events !== undefined) streams.push(readLines(events as Readable, onEventLine));
  if (child.stderr !== null)
    streams.push(display === 'own' ? passOn(child.stderr) : readLines(child.stderr, onErrorLine));
  child.stdout?.resume();
  const channel = child.stdio[4];
  if (channel !== null && channel !== undefined) options.onChannel?.(createChannel(channel as Duplex));
  if (signal?.aborted === true) interrupt();
  signal?.addEventListener('abort', interrupt);
  try {
    if (child.pid !== undefined) options.onStart?.(child.pid);
    const exit = await end;
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      Promise.all(streams),
      new Promise((resolve) => (timer = setTimeout(resolve, DRAIN_MS))),
    ]);
    clearTimeout(timer);
    return { ...exit, last, lastLines };
  } finally {
    signal?.removeEventListener('abort', interrupt);
    events?.destroy();
    channel?.destroy();
  }
};

const HINTS: Readonly<Partial<Record<NodeJS.Signals, string>>> = {
  SIGKILL: 'Somebody killed it, or the memory ran out: a smaller batch or image size needs less.',
  SIGABRT: 'A native library gave up; try --engine wasm.',
  SIGSEGV: 'A native library crashed; try --engine wasm.',
  SIGILL: 'A native library uses instructions that this processor lacks; try --engine wasm.',
};

/** The error that tells how a step's process ended without a result. */
export const stepFailure = (name: string, exit: StepExit, signal?: AbortSignal): SoftshardError => {
  if (exit.last?.type === 'failed') return fromErrorRecord(exit.last.error);
  // It was interrupted before it could handle that.
  if (signal?.aborted === true)
    return new SoftshardError('E_ABORTED', {
      message: `The step ${name} was cancelled.`,
      cause: signal.reason,
    });
  const { code, signalName, lastLines } = exit;
  const how =
    signalName === undefined
      ? code === 0
        ? 'without a result'
        : `with exit code ${String(code)}`
      : `by the signal ${signalName}`;
  const hint = signalName === undefined ? undefined : HINTS[signalName];
  return new SoftshardError('E_STEP_FAILED', {
    message: `The step ${name} ended ${how}.`,
    where: `step ${name}`,
    ...(lastLines.length === 0 ? {} : { found: lastLines.join('\n            ') }),
    remedy: `${hint ?? 'See what it printed.'} What it had committed is kept: the same command goes on from there.`,
  });
};

/**
 * Runs a step in its own process and returns its result (the plain data of its `done` event).
 *
 * @throws The step's own error, rebuilt with its code; E_STEP_FAILED, naming the signal or exit code and the last
 * lines it printed, when the process ended without telling; E_ABORTED after `signal`.
 */
export const runStep = async (options: RunStepOptions): Promise<unknown> => {
  const exit = await followStep(options);
  if (exit.last?.type === 'done') return exit.last.result;
  throw stepFailure(basename(options.script, extname(options.script)), exit, options.signal);
};

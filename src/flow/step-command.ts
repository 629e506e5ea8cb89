/** What a step is to the command line and to a pipeline: a name, a schema and a function. */
import type { z } from 'zod';
import type { SoftshardEvent } from './events.ts';
import type { StepEnvironmentOptions } from './step-environment.ts';

type Body<E> = E extends SoftshardEvent ? Omit<E, 'run' | 'step'> : never;

/** An event as a step reports it: who reports is filled in. */
export type EventBody = Body<SoftshardEvent>;

/** What a step gets besides its options. */
export interface StepContext {
  /** Aborts on SIGINT, SIGTERM and when the parent has ended: reach a checkpoint, then reject with E_ABORTED. */
  readonly signal: AbortSignal;
  /** Identifies this run of the step: `NAME-PID`. */
  readonly run: string;
  /** The step's name. */
  readonly step: string;
  /** Reports progress; never throws. `run` and `step` are filled in where the event (of a child) lacks them. */
  emit(event: SoftshardEvent | EventBody): void;
  /** Reports one line for a person. */
  info(message: string): void;
  /** Reports something that a person should know about. */
  warn(message: string): void;
}

/** A step: what `stages/NAME.ts` exports as `command`. */
export interface StepCommand<S extends z.ZodType = z.ZodType, R = unknown> {
  /** The subcommand (`teach`). */
  readonly name: string;
  /** One sentence for the help. */
  readonly summary: string;
  /** A zod object: type, validation and help of the options (`cli/option-spec.ts` lists the metadata). */
  readonly options: S;
  /** Fills in what a command line leaves out before it is validated (`--resume` alone); raw values by key. */
  complete?(given: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>>;
  /** Does the work. The result is plain data: `--json` prints it and the `done` event carries it. */
  run(options: z.output<S>, context: StepContext): Promise<R>;
  /**
   * The environment of the process: by default that of an engine, with the option `threads` if there is one;
   * `none`, or undefined for these options, for a step without an engine. A resumed step returns the recorded values.
   */
  environment?:
    | 'none'
    | ((
        options: z.output<S>,
      ) => StepEnvironmentOptions | undefined | Promise<StepEnvironmentOptions | undefined>);
  /** The result for a person, printed on standard output. */
  describe?(result: R): string;
  /** The exit code for a result; 0 by default. */
  exitCode?(result: R): number;
  /** How to go on after an interruption; by default: the same command again. */
  resume?(options: z.output<S>): string;
}

/** Declares a step with its types inferred from the schema. */
export const defineStep = <S extends z.ZodType, R>(command: StepCommand<S, R>): StepCommand<S, R> => command;

/** Whether a module's export looks like a step. */
export const isStepCommand = (value: unknown): value is StepCommand =>
  typeof value === 'object' &&
  value !== null &&
  'name' in value &&
  typeof value.name === 'string' &&
  'options' in value &&
  'run' in value &&
  typeof value.run === 'function';

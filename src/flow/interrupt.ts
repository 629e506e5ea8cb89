/** SIGINT and SIGTERM as an AbortSignal: work is asked to reach its checkpoint, then the process ends. */
import { setMaxListeners } from 'node:events';
import { constants } from 'node:os';
import { EXIT } from '../errors.ts';

export type InterruptName = 'SIGINT' | 'SIGTERM';

/** Why a signal of `watchInterrupts` aborted. */
export class Interruption extends Error {
  override readonly name = 'Interruption';
  readonly signalName: InterruptName;

  constructor(signalName: InterruptName) {
    super(`interrupted by ${signalName}`);
    this.signalName = signalName;
  }

  /** 130 or 143. */
  get exitCode(): number {
    return this.signalName === 'SIGINT' ? EXIT.sigint : EXIT.sigterm;
  }
}

/** The interruption that aborted `signal`, if one did. */
export const interruptionOf = (signal: AbortSignal | undefined): Interruption | undefined =>
  signal?.aborted === true && signal.reason instanceof Interruption ? signal.reason : undefined;

export interface Interrupts {
  /** Aborts with an `Interruption`. */
  readonly signal: AbortSignal;
  /** Aborts as if the process had received a signal. */
  readonly interrupt: (name: InterruptName) => void;
  /** Gives the process its default behaviour back. */
  readonly stop: () => void;
}

/** Signals within this time after the first are the same event, delivered to a process and to its group. */
const SAME_EVENT_MS = 1000;

/**
 * Watches the process's signals. The first one aborts; one that comes at least a second later ends the process at
 * once.
 */
export const watchInterrupts = (now: () => number = () => performance.now()): Interrupts => {
  const controller = new AbortController();
  // Every unit and batch in flight listens for it.
  setMaxListeners(0, controller.signal);
  let first: number | undefined;
  const interrupt = (name: InterruptName): void => {
    if (first === undefined) {
      first = now();
      controller.abort(new Interruption(name));
    } else if (now() - first >= SAME_EVENT_MS) process.exit(128 + constants.signals[name]);
  };
  const handlers = (['SIGINT', 'SIGTERM'] as const).map((name) => [name, () => interrupt(name)] as const);
  for (const [name, handler] of handlers) process.on(name, handler);
  return {
    signal: controller.signal,
    interrupt,
    stop: () => {
      for (const [name, handler] of handlers) process.off(name, handler);
    },
  };
};

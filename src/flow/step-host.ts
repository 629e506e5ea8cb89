/** The process of a step: its signals, the pipe to its parent, and what that parent wants of it. */
import { EXIT } from '../errors.ts';
import { watchInterrupts, type Interrupts } from './interrupt.ts';
import { openParentPipe, type ParentPipe } from './parent-pipe.ts';
import { DISPLAY } from './step-process.ts';

/** Tells a process that it was started for its environment, so that it does not start another. */
export const RESTARTED = 'SOFTSHARD_RESTARTED';

/** How long a process may take to its checkpoint after its parent has ended, milliseconds. */
const ORPHAN_MS = 60_000;

const takeVariable = (name: string): string | undefined => {
  const value = process.env[name];
  Reflect.deleteProperty(process.env, name);
  return value;
};

export interface StepHost {
  /** `none`: the parent shows the events. */
  readonly display: 'own' | 'none';
  /** Whether the environment was set by the parent. */
  readonly isRestarted: boolean;
  /** To the parent, if a step or the command line started this process. */
  readonly pipe: ParentPipe | undefined;
  readonly interrupts: Interrupts;
}

/** Takes over this process's signals and pipe. Once a process. */
export const openHost = (): StepHost => {
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

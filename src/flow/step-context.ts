/** What a step gets besides its options, in this process. */
import type { StepOutput } from '../cli/step-output.ts';
import type { StepContext } from './step-command.ts';
import type { StepHost } from './step-host.ts';

/** A context whose lines for a person are reported by `emit`. */
export const contextAround = (part: Omit<StepContext, 'info' | 'warn'>): StepContext => ({
  ...part,
  info: (message) => part.emit({ type: 'info', message }),
  warn: (message) => part.emit({ type: 'warn', message }),
});

/** A context that reports to the parent and to `output`. */
export const makeContext = (step: string, host: StepHost, output: StepOutput): StepContext => {
  const run = `${step}-${process.pid}`;
  const emit: StepContext['emit'] = (body) => {
    const event = { run, step, ...body };
    host.pipe?.send(event);
    output.event(event);
  };
  return contextAround({ signal: host.interrupts.signal, run, step, emit });
};

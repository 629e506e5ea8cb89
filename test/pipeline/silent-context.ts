import type { StepContext } from '../../src/flow/step-command.ts';

/** A context that reports to nobody. */
export const silentContext = (): StepContext => ({
  ...{ signal: new AbortController().signal, run: 'run-1', step: 'run' },
  ...{ info: () => undefined, warn: () => undefined, emit: () => undefined },
});

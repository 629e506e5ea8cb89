/** Speed of the engines, as the self-test measures it. */
import { availableParallelism } from 'node:os';
import { passed, runSelfTest } from '../src/engine/run-self-test.ts';
import { stepEnvironment } from '../src/flow/step-environment.ts';
import type { Figure } from './report.ts';

export const engineFigures = async (): Promise<readonly Figure[]> => {
  const environment = stepEnvironment(process.env, { threads: availableParallelism(), isa: 'default' });
  const figures: Figure[] = [];
  for (const name of ['native', 'wasm'] as const) {
    const outcome = await runSelfTest(name, environment);
    if (passed(outcome))
      figures.push({
        name: `engine ${name}`,
        value: outcome.gflops,
        unit: 'GFLOP/s',
        note: `3x3 convolution forward and backward, ${outcome.threads} thread(s)`,
      });
  }
  return figures;
};

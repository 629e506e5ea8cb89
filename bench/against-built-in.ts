/** The wasm engine against TensorFlow.js's own operations and kernels on the same backend. */
import { alternate, ratioOf, type AlternateOptions } from './alternate.ts';
import { openCommand, own, type Work } from './contestants.ts';
import { caseOf, figuresOf } from './timed-figures.ts';
import type { BenchPart } from './report.ts';

export interface BuiltInBenchOptions extends AlternateOptions {
  readonly size: number;
  readonly wasmBatch: number;
}

export const againstBuiltIn = async (folder: string, options: BuiltInBenchOptions): Promise<BenchPart> => {
  const work: Work = { mode: 'step', config: 'yolov5p.yaml', batch: options.wasmBatch, size: options.size };
  const open = await openCommand(folder, work);
  const timed = await alternate([own('wasm', 'own', open), own('wasm', 'built-in', open)], {
    rounds: Math.min(options.rounds, 3),
    blockMs: options.blockMs,
    warmUp: 1,
  });
  const [ours, builtIn] = timed;
  if (ours === undefined || builtIn === undefined) return { figures: [] };
  const note = `training step, ${work.size} pixels, batch ${work.batch}; tfjs: its own operations and kernels, ours where it has none`;
  return {
    figures: figuresOf('wasm step 0.125', timed, note),
    cases: [caseOf(work, 0.125, timed)],
    ratios: { wasmStep: ratioOf(ours, builtIn) },
  };
};

/** The wasm engine against TensorFlow.js's own operations and kernels on the same backend. */
import { alternate, ratioOf, type AlternateOptions } from './alternate.ts';
import { openCommand, own, type Work } from './contestants.ts';
import { caseOf, figuresOf } from './timed-figures.ts';
import type { BenchCase, BenchPart, Figure } from './report.ts';

export interface BuiltInBenchOptions extends AlternateOptions {
  readonly size: number;
  readonly wasmBatch: number;
}

const NOTES = {
  step: 'training step; tfjs: its own operations and kernels, ours where it has none',
  'input-gradient': 'Conv2DBackpropInput over all convolutions of the model',
} as const;

export const againstBuiltIn = async (folder: string, options: BuiltInBenchOptions): Promise<BenchPart> => {
  const { size, wasmBatch: batch, rounds, blockMs } = options;
  const figures: Figure[] = [];
  const cases: BenchCase[] = [];
  const ratios: { wasmStep?: number; wasmInputGradient?: number } = {};
  for (const mode of ['step', 'input-gradient'] as const) {
    const work: Work = { mode, config: 'yolov5p.yaml', batch, size };
    const open = await openCommand(folder, work);
    const field = [own('wasm', 'own', open), own('wasm', 'built-in', open)];
    const timed = await alternate(field, { rounds: Math.min(rounds, 3), blockMs, warmUp: 1 });
    const [ours, builtIn] = timed;
    if (ours === undefined || builtIn === undefined) continue;
    figures.push(...figuresOf(`wasm ${mode} 0.125`, timed, `${NOTES[mode]}, ${size} pixels, batch ${batch}`));
    cases.push(caseOf(work, 0.125, timed));
    ratios[mode === 'step' ? 'wasmStep' : 'wasmInputGradient'] = ratioOf(ours, builtIn);
  }
  return { figures, cases, ratios };
};

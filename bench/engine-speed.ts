/** Speed of the engines: what their self-test measures, and alternating comparisons with other programs. */
import { passed, runSelfTest } from '../src/engine/run-self-test.ts';
import { againstBuiltIn, type BuiltInBenchOptions } from './against-built-in.ts';
import { againstPeer, type PeerBenchOptions } from './against-peer.ts';
import { engineEnvironment } from './contestants.ts';
import type { BenchPart, Figure } from './report.ts';

const selfTests = async (): Promise<BenchPart> => {
  const figures: Figure[] = [];
  for (const name of ['native', 'wasm'] as const) {
    const outcome = await runSelfTest(name, engineEnvironment());
    if (!passed(outcome)) continue;
    const note = `3x3 convolution forward and backward, ${outcome.threads} thread(s)`;
    figures.push({ name: `engine ${name}`, value: outcome.gflops, unit: 'GFLOP/s', note });
  }
  return { figures };
};

const MEANING: Readonly<Record<string, string>> = {
  step: "ours / PyTorch's, time of the training step",
  forward: "ours / PyTorch's, time of the forward pass",
  memory: "ours / PyTorch's, peak memory of the training step",
  memoryGrown: 'the same, above what the libraries occupy before any work',
  wasmStep: "ours / TensorFlow.js's own operations, time of the training step",
  wasmInputGradient: "ours / TensorFlow.js's kernel, input gradients of all convolutions",
};

export const engineFigures = async (
  folder: string,
  options: PeerBenchOptions & BuiltInBenchOptions,
): Promise<BenchPart> => {
  const parts = [
    await selfTests(),
    await againstPeer(folder, options),
    await againstBuiltIn(folder, options),
  ];
  const ratios = Object.assign({}, ...parts.map((part) => part.ratios)) as Record<string, number>;
  const ratioFigures = Object.entries(ratios).map(([name, value]): Figure => {
    const note = `${MEANING[name] ?? ''}${name.startsWith('wasm') ? '' : '; worst of the widths, PyTorch at its best'}`;
    return { name: `ratio ${name}`, value, unit: 'ratio', note };
  });
  return {
    figures: [...parts.flatMap((part) => [...part.figures]), ...ratioFigures],
    cases: parts.flatMap((part) => part.cases ?? []),
    skipped: parts.flatMap((part) => part.skipped ?? []),
    ratios,
  };
};

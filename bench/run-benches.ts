/** The benchmarks by name, one after another. */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { againstOpenCv } from './against-opencv.ts';
import { cacheFigures } from './cache-speed.ts';
import { engineFigures } from './engine-speed.ts';
import { memoryFigures } from './memory.ts';
import { BENCH_FORMAT, type BenchPart, type BenchResult } from './report.ts';
import type { BenchScale } from './scale.ts';
import { decodeFigures, trainFigures } from './step-speed.ts';
import { teachFigures } from './teach-speed.ts';

export interface BenchOptions {
  readonly scale: BenchScale;
  /** The interpreter that has PyTorch. */
  readonly python: string;
  /** The interpreter that has OpenCV and NumPy. */
  readonly opencv: string;
  readonly onMessage: (line: string) => void;
}

const BENCHES = {
  engine: (folder, { scale, python }) => engineFigures(folder, { ...scale, python }),
  cache: (folder, { scale }) => cacheFigures(folder, scale.cacheViews),
  decode: async (folder, { scale, opencv }) => {
    const steps = await decodeFigures(folder, scale);
    const views = await againstOpenCv(folder, { ...scale, opencv });
    return { ...views, figures: [...steps.figures, ...views.figures] };
  },
  train: (folder, { scale }) => trainFigures(folder, scale),
  teach: (folder, { scale }) => teachFigures(folder, scale),
  memory: (folder, { scale }) => memoryFigures(folder, scale),
} satisfies Readonly<Record<string, (folder: string, options: BenchOptions) => Promise<BenchPart>>>;

export type BenchName = keyof typeof BENCHES;
export const BENCH_NAMES = Object.keys(BENCHES) as BenchName[];
export const isBenchName = (name: string): name is BenchName => Object.hasOwn(BENCHES, name);

/** Runs the benchmarks named; each has a temporary folder of its own. */
export const runBenches = async (
  names: readonly BenchName[],
  options: BenchOptions,
): Promise<BenchResult> => {
  const parts: BenchPart[] = [];
  for (const name of BENCH_NAMES) {
    if (!names.includes(name)) continue;
    options.onMessage(`measuring: ${name}`);
    const folder = mkdtempSync(join(tmpdir(), 'softshard-bench-'));
    try {
      const part = await BENCHES[name](folder, options);
      for (const line of part.skipped ?? []) options.onMessage(`skipped: ${line}`);
      parts.push(part);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return {
    ...BENCH_FORMAT,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    processors: availableParallelism(),
    processor: cpus()[0]?.model ?? 'unknown',
    date: new Date().toISOString(),
    figures: parts.flatMap((part) => [...part.figures]),
    ratios: Object.assign({}, ...parts.map((part) => part.ratios)) as BenchResult['ratios'],
    cases: parts.flatMap((part) => part.cases ?? []),
    skipped: parts.flatMap((part) => part.skipped ?? []),
  };
};

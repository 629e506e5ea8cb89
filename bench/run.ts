/** Measures this machine: `npm run bench [-- NAME...] [--json]`. Names: engine, cache, decode, train, memory. */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFigures } from './cache-speed.ts';
import { engineFigures } from './engine-speed.ts';
import { BENCH_FORMAT, benchTable, type BenchResult, type Figure } from './report.ts';
import { decodeFigures, memoryFigures, trainFigures } from './step-speed.ts';

const BENCHES: Readonly<Record<string, (folder: string) => Promise<readonly Figure[]>>> = {
  engine: engineFigures,
  cache: cacheFigures,
  decode: decodeFigures,
  train: trainFigures,
  memory: memoryFigures,
};

const args = process.argv.slice(2);
const names = args.filter((argument) => argument !== '--json');
const unknown = names.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}.`);
  process.exit(2);
}
const figures: Figure[] = [];
for (const [name, bench] of Object.entries(BENCHES)) {
  if (names.length > 0 && !names.includes(name)) continue;
  console.error(`measuring: ${name}`);
  const folder = mkdtempSync(join(tmpdir(), 'softshard-bench-'));
  try {
    figures.push(...(await bench(folder)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
const result: BenchResult = {
  ...BENCH_FORMAT,
  node: process.version,
  platform: `${process.platform}-${process.arch}`,
  processors: availableParallelism(),
  processor: cpus()[0]?.model ?? 'unknown',
  figures,
};
console.log(args.includes('--json') ? JSON.stringify(result) : benchTable(result));

/**
 * Measures this machine: `npm run bench [-- NAME...] [--json] [--quick]`. Names: engine, cache, decode, train, teach,
 * memory. `--quick` measures next to nothing: it shows that everything works.
 */
import { writeSync } from 'node:fs';
import { BENCH_NAMES, isBenchName, runBenches } from './run-benches.ts';
import { benchTable } from './report.ts';
import { FULL, QUICK } from './scale.ts';

const args = process.argv.slice(2);
const names = args.filter((argument) => !argument.startsWith('--'));
const unknown = [
  ...names.filter((name) => !isBenchName(name)),
  ...args.filter((argument) => argument.startsWith('--') && !['--json', '--quick'].includes(argument)),
];
if (unknown.length > 0) {
  console.error(
    `There is no ${unknown.join(', ')}; there are ${BENCH_NAMES.join(', ')}, --json and --quick.`,
  );
  process.exit(2);
}
const result = await runBenches(names.length === 0 ? BENCH_NAMES : names.filter(isBenchName), {
  scale: args.includes('--quick') ? QUICK : FULL,
  python: process.env['SOFTSHARD_BENCH_PYTHON'] ?? 'python3',
  opencv: process.env['SOFTSHARD_BENCH_OPENCV'] ?? process.env['SOFTSHARD_BENCH_PYTHON'] ?? 'python3',
  onMessage: (line) => console.error(line),
});
writeSync(1, `${args.includes('--json') ? JSON.stringify(result) : benchTable(result)}\n`);

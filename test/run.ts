/** Runs the test files under node's own runner: `npm test [-- FILTER...]`, `npm run test:long`. */
import { spawn } from 'node:child_process';
import fastGlob from 'fast-glob';
import { repositoryRoot } from './reference.ts';

const args = process.argv.slice(2);
const filters = args.filter((a) => !a.startsWith('--'));
const files = (await fastGlob('test/**/*.test.ts', { cwd: repositoryRoot }))
  .filter((file) => filters.length === 0 || filters.some((f) => file.includes(f)))
  .sort();
if (files.length === 0) {
  console.error(`No test file matches ${filters.join(' ')}`);
  process.exit(2);
}
const child = spawn(
  process.execPath,
  ['--conditions=softshard-source', '--import', 'tsx', '--test', '--test-concurrency=2', ...files],
  {
    cwd: repositoryRoot,
    stdio: 'inherit',
    env: { ...process.env, ...(args.includes('--long') ? { SOFTSHARD_TEST_LONG: '1' } : {}) },
  },
);
child.on('exit', (code) => process.exit(code ?? 1));

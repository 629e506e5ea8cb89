/**
 * Runs the test files under node's own runner: `npm test [-- FILTER...]`, `npm run test:long`. The native engine is
 * provisioned first; where it cannot be had, one line says why and the tests go on with wasm.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import fastGlob from 'fast-glob';
import { ensureNativeEngine, isFound } from '../src/engine/install/index.ts';
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

const found = await ensureNativeEngine({ onMessage: (line) => console.log(line) });
if (isFound(found)) console.log(`native engine: TensorFlow ${found.tensorflow}, ${found.device}`);

const child = spawn(
  process.execPath,
  [
    '--conditions=softshard-source',
    '--import',
    'tsx',
    '--test',
    '--test-concurrency=2',
    // A test process that never ends must not hold the run.
    '--test-timeout=900000',
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=./test/skip-reporter.js',
    '--test-reporter-destination=stderr',
    ...files,
  ],
  {
    cwd: repositoryRoot,
    stdio: 'inherit',
    env: { ...process.env, ...(args.includes('--long') ? { SOFTSHARD_TEST_LONG: '1' } : {}) },
  },
);
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => child.kill(name));
child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal ?? 'SIGTERM']));

#!/usr/bin/env node
// Starts the command line. In an installed package, and in a clone whose dist is up to date, the compiled files run in
// this process; else, or where SOFTSHARD_SOURCE=1 asks for it, the TypeScript sources run through the pinned loader, in
// a child process that has the terminal.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { fileURLToPath, pathToFileURL } from 'node:url';

const fail = (line) => {
  process.stderr.write(`softshard: ${line}\n`);
  process.exit(1);
};

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19))
  fail(`Node 20.19 or newer is needed; this is ${process.versions.node}.`);

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[/\\]$/, '');
const source = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
const isClone = existsSync(source);
const { isFresh } = await import('./listing.js');
// The demo starts a process for each step: compiling once takes less time than ten times the loader.
if (isClone && process.argv[2] === 'demo' && !existsSync(`${root}/dist`)) {
  process.stderr.write('softshard: compiling the sources once\n');
  spawnSync(process.execPath, [`${root}/bin/build.js`, '--quick'], { stdio: 'ignore' });
}
if (isClone && (process.env.SOFTSHARD_SOURCE === '1' || !isFresh(root))) {
  let loader;
  try {
    loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  } catch {
    fail('the dependencies are not installed; run npm ci.');
  }
  const child = spawn(
    process.execPath,
    ['--conditions=softshard-source', '--import', loader, source, ...process.argv.slice(2)],
    { stdio: ['inherit', 'inherit', 'inherit', 'pipe'], env: { ...process.env, SOFTSHARD_PARENT_FD: '3' } },
  );
  // The child reports events to a parent; nobody reads them here.
  child.stdio[3].resume();
  child.stdio[3].on('error', () => {});
  // A Ctrl-C reaches both; a signal to this process alone is passed on. The child decides how to end.
  for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => child.kill(name));
  child.on('error', (error) => fail(error.message));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal ?? 'SIGTERM']));
} else {
  const main = new URL('../dist/src/cli/main.js', import.meta.url);
  if (!existsSync(fileURLToPath(main))) fail('this package is not built; run npm run build.');
  try {
    await import(main.href);
  } catch (error) {
    if (error?.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    fail(`a dependency is missing (${error.message.split('\n')[0]}); install the package again.`);
  }
}

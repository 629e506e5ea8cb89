// Compiles src, stages and pipelines into dist, and copies what is read at run time and is no TypeScript.
// With --quick neither types are checked nor declarations written, as running in a clone needs neither.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listing, SOURCES, STAMP } from './listing.js';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
// Built beside and put in its place at once: others may start from it meanwhile.
const partial = `${dist}.${process.pid}.partial`;
const quick = process.argv.includes('--quick') ? ['--noCheck', '--declaration', 'false'] : [];
const before = listing(root);

const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
const { status } = spawnSync(
  process.execPath,
  [tsc, '-p', 'tsconfig.build.json', '--outDir', partial, ...quick],
  { cwd: root, stdio: 'inherit' },
);
if (status !== 0) {
  rmSync(partial, { recursive: true, force: true });
  process.exit(status ?? 1);
}

for (const folder of SOURCES) {
  if (!existsSync(join(root, folder))) continue;
  cpSync(join(root, folder), join(partial, folder), {
    recursive: true,
    filter: (path) => !path.endsWith('.ts'),
  });
}
// Sources that changed meanwhile leave dist without a stamp, and it counts as out of date.
if (listing(root) === before) writeFileSync(join(partial, STAMP), before);
rmSync(dist, { recursive: true, force: true });
renameSync(partial, dist);

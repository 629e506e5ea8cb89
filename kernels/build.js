// Compiles kernels/pixels.ts to the WebAssembly that the package ships; with --out FILE to another place.
import { createRequire } from 'node:module';
import { spawnSync } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const asc = join(
  dirname(createRequire(import.meta.url).resolve('assemblyscript/package.json')),
  'bin',
  'asc.js',
);
const at = process.argv.indexOf('--out');
const out = at < 0 ? 'src/data/pixels.wasm' : process.argv[at + 1];
const { status } = spawnSync(
  process.execPath,
  [
    ...[asc, 'kernels/pixels.ts', '-o', out, '-O3', '--enable', 'simd', '--runtime', 'stub'],
    ...['--noAssert', '--initialMemory', '32', '--use', 'abort='],
  ],
  { cwd: root, stdio: 'inherit' },
);
process.exit(status ?? 1);

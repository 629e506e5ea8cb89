import { after, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { repositoryRoot } from '../reference.ts';

const folder = mkdtempSync(join(tmpdir(), 'softshard-pack-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const run = (file: string, args: readonly string[], cwd: string): string =>
  execFileSync(file, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

const packed = z.tuple([z.object({ filename: z.string(), files: z.array(z.object({ path: z.string() })) })]);
const pack = (cwd: string, ...args: string[]): z.infer<typeof packed>[0] =>
  packed.parse(JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', ...args], cwd)))[0];

describe('the package', () => {
  test('holds the command and the documents, and neither sources nor tests', () => {
    const paths = pack(repositoryRoot, '--dry-run').files.map(({ path }) => path);
    for (const path of ['bin/softshard.js', 'package.json', 'LICENSE', 'docs/errors.md'])
      assert.ok(paths.includes(path), path);
    // With src beside it, bin/softshard.js would take the package for a clone.
    assert.deepEqual(
      paths.filter((path) => /^(src|test|stages|bench|node_modules)\//.test(path)),
      [],
    );
  });

  const skip =
    process.env['SOFTSHARD_TEST_LONG'] === undefined
      ? 'compiles the package: needs SOFTSHARD_TEST_LONG'
      : false;

  test('built and packed, it runs in a foreign project', { skip }, () => {
    const clone = join(folder, 'clone');
    const names = [
      'bin',
      'docs',
      'fixtures',
      'pipelines',
      'readers',
      'src',
      'stages',
      'CHANGELOG.md',
      'LICENSE',
    ];
    for (const name of [...names, 'NOTICE', 'package.json', 'tsconfig.json', 'tsconfig.build.json'])
      if (existsSync(join(repositoryRoot, name)))
        cpSync(join(repositoryRoot, name), join(clone, name), { recursive: true });
    const modules = join(repositoryRoot, 'node_modules');
    symlinkSync(modules, join(clone, 'node_modules'));
    run(process.execPath, ['bin/build.js'], clone);
    const { filename, files } = pack(clone);
    assert.ok(files.some(({ path }) => path === 'dist/src/cli/main.js'));
    assert.ok(files.some(({ path }) => path === 'dist/src/cli/main.d.ts'));

    const project = join(folder, 'project');
    const own = join(project, 'node_modules', 'softshard');
    mkdirSync(own, { recursive: true });
    run('tar', ['-xzf', join(clone, filename), '--strip-components=1', '-C', own], clone);
    for (const name of readdirSync(modules))
      if (name !== 'softshard' && !name.startsWith('.'))
        symlinkSync(join(modules, name), join(project, 'node_modules', name));
    const bin = join(own, 'bin', 'softshard.js');
    assert.match(run(process.execPath, [bin, '--version'], project), /^\d/);
    const pipeline = `import { defineStep } from './node_modules/softshard/dist/src/flow/step-main.js';
import { z } from 'zod';
interface Answer { readonly n: number }
const run = (options: Answer) => Promise.resolve(options.n * 2);
export const command = defineStep({ name: 'x', summary: 'x', options: z.object({ n: z.int() }), run, describe: String });`;
    writeFileSync(join(project, 'my-pipeline.ts'), pipeline);
    for (const type of [{}, { type: 'commonjs' }, { type: 'module' }]) {
      writeFileSync(join(project, 'package.json'), JSON.stringify(type));
      assert.equal(run(process.execPath, [bin, 'run', 'my-pipeline.ts', '--set', 'n=21'], project), '42\n');
    }
    assert.match(
      run(process.execPath, [bin, 'doctor', '--json', '--probe', '0'], project),
      /"canTrain":true/,
    );
  });
});

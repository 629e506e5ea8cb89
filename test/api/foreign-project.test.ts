/**
 * The package as a stranger gets it: packed, installed into an empty project with npm's default settings (install
 * scripts on), and used from its command line and from TypeScript. Where the host from which the optional package
 * downloads TensorFlow is out of reach, npm drops that package: the engine must install all the same.
 */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { enginesFolder } from '../../src/engine/install/home.ts';
import { findNativeEngine, isFound } from '../../src/engine/install/index.ts';
import { repositoryRoot } from '../reference.ts';
import { makeTinyTeacher } from '../tiny-teacher.ts';
import { makeTinyData } from '../tiny-training.ts';

const skip =
  process.env['SOFTSHARD_TEST_LONG'] === undefined
    ? 'compiles, packs and installs the package (two minutes): needs SOFTSHARD_TEST_LONG'
    : false;

const root = mkdtempSync(join(tmpdir(), 'softshard-foreign-'));
after(() => rmSync(root, { recursive: true, force: true }));
const [clone, project, home] = [join(root, 'clone'), join(root, 'project'), join(root, 'home')];

/** A user's environment: nothing of the npm that runs the tests, nor of its settings, is in it. */
const environment = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name))),
  SOFTSHARD_HOME: home,
};

const run = (file: string, args: readonly string[], cwd: string): string => {
  const { status, stdout, stderr } = spawnSync(file, args, { cwd, env: environment, encoding: 'utf8' });
  assert.equal(status, 0, `${file} ${args.join(' ')}\n${stdout}\n${stderr}`);
  return stdout;
};
const softshard = (...args: string[]): string =>
  run(join(project, 'node_modules', '.bin', 'softshard'), args, project);

const packClone = (): string => {
  for (const name of ['bin', 'docs', 'fixtures/demo', 'pipelines', 'readers', 'schemas', 'src', 'stages'])
    cpSync(join(repositoryRoot, name), join(clone, name), { recursive: true });
  for (const name of ['CHANGELOG.md', 'LICENSE', 'NOTICE', 'README.md', 'package.json', '.npmrc'])
    cpSync(join(repositoryRoot, name), join(clone, name));
  for (const name of ['tsconfig.json', 'tsconfig.build.json'])
    cpSync(join(repositoryRoot, name), join(clone, name));
  symlinkSync(join(repositoryRoot, 'node_modules'), join(clone, 'node_modules'));
  run('npm', ['run', '-s', 'build'], clone);
  return join(clone, run('npm', ['pack', '--silent'], clone).trim());
};

const USER = `
import { chain, dataset, source, teach, weights, type Source, type Stage } from 'softshard';
import { createHardLoss, type Loss } from 'softshard/loss';
import { openCache } from 'softshard/cache';
import { openEngine } from 'softshard/engine';
import { teach as teachStage } from 'softshard/stages/teach';

declare const length: Stage<string, number>;
export const numbers = (words: Source<string>): Source<number> => chain(words, length);
export const wrong = (): void => {
  // @ts-expect-error A step that takes a path where an artefact is asked for.
  teach({ weights: 'teacher.pt', data: dataset('data'), imgsz: 64, cache: 'cache' });
  // @ts-expect-error No chain without a source.
  chain(length);
};
export const loss: Loss = () => ({});

const step = teach({ weights: weights('teacher.pt'), data: dataset('data'), imgsz: 64, cache: 'cache' });
const all = [chain, source, createHardLoss, openCache, openEngine, teachStage];
console.log(all.every((each) => typeof each === 'function'), typeof step);
`;

describe('in a foreign project', { skip }, () => {
  before(async () => {
    if (skip !== false) return;
    const tarball = packClone();
    mkdirSync(project);
    writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'foreign', private: true }));
    run('npm', ['install', '--ignore-scripts=false', '--no-audit', '--no-fund', tarball], project);
    await makeTinyData(project, { train: 4, unlabelled: 2, val: 2 });
    await makeTinyTeacher(project);
    const engine = findNativeEngine();
    if (!isFound(engine)) return;
    // Nothing is downloaded or compiled again.
    mkdirSync(enginesFolder(home), { recursive: true });
    symlinkSync(engine.folder, join(enginesFolder(home), engine.name));
  });

  test('the command answers', () => {
    assert.match(run('npx', ['softshard', '--help'], project), /Usage: softshard COMMAND/);
    assert.match(softshard('train', '--help'), /--cfg/);
  });

  const hasEngine = isFound(findNativeEngine());
  test('the engine installs, whether npm kept the optional package or not', { skip: !hasEngine }, () => {
    const kept = existsSync(join(project, 'node_modules', '@tensorflow', 'tfjs-node-gpu'));
    const installed = JSON.parse(softshard('engine', 'install', '--json')) as { state: string };
    assert.equal(installed.state, 'found');
    assert.equal(existsSync(join(home, 'kernels')), !kept);
    const diagnosis = JSON.parse(softshard('doctor', '--json', '--probe', '0')) as {
      engines: { name: string; found: boolean; reason: string }[];
      canTrain: boolean;
    };
    assert.ok(diagnosis.canTrain);
    const native = diagnosis.engines.find(({ name }) => name === 'native');
    assert.ok(native?.found, native?.reason);
  });

  for (const engine of hasEngine ? ['native', 'wasm'] : ['wasm'])
    test(`teaches, trains, evaluates and exports on ${engine}`, () => {
      const common = ['--data', 'tiny.yaml', '--imgsz', '64', '--engine', engine];
      const cache = `cache-${engine}`;
      softshard('teach', '--weights', 'teacher-5.safetensors', '--cache', cache, ...common);
      const train = ['train', '--cfg', 'tiny-model.yaml', '--cache', cache, '--batch-size', '4', ...common];
      softshard(...train, '--epochs', '2', '--project', 'runs', '--name', engine);
      const best = join('runs', engine, 'best.safetensors');
      assert.match(
        softshard('evaluate', '--weights', best, '--split', 'val', '--json', ...common),
        /"mAP50"/,
      );
      softshard(
        ...['export', '--weights', best, '--format', 'pt,safetensors,tfjs'],
        '--out',
        `out-${engine}`,
      );
      assert.ok(existsSync(join(project, `out-${engine}`, 'best.pt')));
    });

  test('types compile, and the compiled module runs', () => {
    writeFileSync(join(project, 'user.ts'), USER);
    const compilerOptions = { module: 'nodenext', target: 'es2022', strict: true, skipLibCheck: true };
    writeFileSync(
      join(project, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: { ...compilerOptions, outDir: 'built' }, files: ['user.ts'] }),
    );
    writeFileSync(
      join(project, 'package.json'),
      JSON.stringify({ name: 'foreign', private: true, type: 'module' }),
    );
    const typescript = createRequire(import.meta.url).resolve('typescript/package.json');
    run(process.execPath, [join(dirname(typescript), 'bin', 'tsc'), '-p', '.'], project);
    const output = run(process.execPath, ['built/user.js'], project);
    assert.match(output, /true object/);
  });
});

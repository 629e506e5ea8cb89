import { after, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listing } from '../../bin/listing.js';
import { repositoryRoot } from '../reference.ts';

const folder = mkdtempSync(join(tmpdir(), 'softshard-main-'));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const bin = join(repositoryRoot, 'bin', 'softshard.js');

/** Runs the command from a foreign working folder. */
const softshard = (
  argv: readonly string[],
  environment: Record<string, string> = {},
  file = bin,
): Promise<Ended> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [file, ...argv], {
      cwd: folder,
      env: { ...process.env, ...environment },
    });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.on('close', (code) => resolve({ code, out, err }));
  });

describe('softshard', () => {
  test('lists the commands, and those of a group', async () => {
    const { code, out } = await softshard(['--help']);
    assert.equal(code, 0);
    for (const name of ['teach', 'train', 'doctor', 'engine install'])
      assert.match(out, new RegExp(`^  ${name} `, 'm'));
    assert.equal((await softshard([])).code, 2);
    const group = await softshard(['engine', '--help']);
    assert.match(group.out, /engine list/);
    assert.doesNotMatch(group.out, /^ {2}teach /m);
    assert.match(
      (await softshard(['help', 'engine', 'install'])).out,
      /^softshard engine install: .*[^]*--from FILE/,
    );
    assert.match((await softshard(['--version'])).out, /^\d+\.\d+\.\d+\n$/);
  });

  test('an unknown command or option is usage: exit 2, with the nearest name', async () => {
    const unknown = await softshard(['evalute', '--json']);
    assert.equal(unknown.code, 2);
    assert.match(unknown.err, /Did you mean softshard evaluate/);
    assert.match(unknown.out, /^\{"error":\{"code":"E_USAGE"[^\n]*\n$/);
    const option = await softshard(['doctor', '--jsn']);
    assert.equal(option.code, 2);
    assert.match(option.err, /Did you mean --json/);
  });

  test('engine list and install in an empty home, offline', async () => {
    const environment = { SOFTSHARD_HOME: join(folder, 'home'), SOFTSHARD_OFFLINE: '1' };
    const listed = JSON.parse((await softshard(['engine', 'list', '--json'], environment)).out) as unknown;
    assert.ok(typeof listed === 'object' && listed !== null && 'used' in listed);
    assert.equal(listed.used, null);
    const install = await softshard(['engine', 'install'], environment);
    assert.equal(install.code, 1);
    assert.match(install.err, /^error E_ENGINE_INSTALL: /);
  });

  test('doctor says what was found and refused', async () => {
    const environment = { SOFTSHARD_HOME: join(folder, 'home') };
    const { code, out } = await softshard(['doctor', '--probe', '0'], environment);
    assert.equal(code, 0);
    assert.match(
      out,
      /^engine +state +version[^]*^native +refused [^]*^wasm +found[^]*^allocator[^]*Training is possible\. Without --engine it runs on wasm\.\n$/m,
    );
    const json = JSON.parse(
      (await softshard(['doctor', '--json', '--probe', '0'], environment)).out,
    ) as unknown;
    assert.ok(typeof json === 'object' && json !== null && 'canTrain' in json && 'engines' in json);
  });

  test('runs a pipeline file with its options', async () => {
    const pipeline = join(import.meta.dirname, 'fixtures', 'pipeline.ts');
    const done = await softshard(['run', pipeline, '--set', 'batch-size=2', '--set', 'nested.b=3']);
    assert.deepEqual([done.code, done.out], [0, 'sum 5\n']);
    const wrong = await softshard(['run', pipeline, '--set', 'batchSize=two']);
    assert.equal(wrong.code, 2);
    assert.match(wrong.err, /--batch-size/);
    const threw = await softshard(['run', pipeline, '--set', 'fail=true']);
    assert.equal(threw.code, 1);
    assert.match(threw.err, /^error E_PIPELINE: The pipeline threw[^]*the pipeline broke/);
  });

  test('a pipeline file that cannot be loaded is named', async () => {
    const broken = join(folder, 'broken.ts');
    writeFileSync(broken, 'throw new Error("at the top");');
    assert.match((await softshard(['run', broken])).err, /E_PIPELINE[^]*broken\.ts[^]*at the top/);
    const empty = join(folder, 'empty.ts');
    writeFileSync(empty, 'export {};');
    assert.match((await softshard(['run', './empty.ts'])).err, /exports no command/);
    assert.match((await softshard(['run', 'nowhere'])).err, /There is no such pipeline/);
  });
});

describe('interrupting a pipeline', () => {
  const pipeline = join(import.meta.dirname, 'fixtures', 'slow-pipeline.ts');
  const interrupt = async (signalName: NodeJS.Signals, checkpoint: string): Promise<Ended> => {
    const child = spawn(process.execPath, [bin, 'run', pipeline, '--set', `checkpoint=${checkpoint}`], {
      // The pipeline of this test imports the sources, so they must be what runs it.
      env: { ...process.env, SOFTSHARD_SOURCE: '1' },
    });
    let err = '';
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    await new Promise<void>((resolve) => {
      child.stderr.on('data', (chunk: Buffer) => {
        err += chunk.toString();
        if (err.includes('counting')) resolve();
      });
    });
    child.kill(signalName);
    return { code: await ended, out: '', err };
  };

  test('SIGTERM to the command alone: the step reaches its checkpoint, exit 143, and how to go on', async () => {
    const checkpoint = join(folder, 'terminated');
    const { code, err } = await interrupt('SIGTERM', checkpoint);
    assert.equal(code, 143);
    assert.ok(existsSync(checkpoint));
    assert.match(err, /interrupted by SIGTERM[^]*same command again/);
  });

  test('kill -9 of the command alone: every process below it ends, the step after its checkpoint', async () => {
    const checkpoint = join(folder, 'killed');
    await interrupt('SIGKILL', checkpoint);
    // The streams of the children have closed, so they have ended.
    assert.ok(existsSync(checkpoint));
  });
});

describe('bin/softshard.js', () => {
  const install = (name: string): string => {
    const root = join(folder, name);
    mkdirSync(join(root, 'bin'), { recursive: true });
    cpSync(join(repositoryRoot, 'bin'), join(root, 'bin'), { recursive: true });
    cpSync(join(repositoryRoot, 'package.json'), join(root, 'package.json'));
    return root;
  };

  test('says in one line that dependencies or the build are missing', async () => {
    const clone = install('clone');
    mkdirSync(join(clone, 'src', 'cli'), { recursive: true });
    writeFileSync(join(clone, 'src', 'cli', 'main.ts'), '');
    const bare = await softshard([], {}, join(clone, 'bin', 'softshard.js'));
    assert.deepEqual(
      [bare.code, bare.err],
      [1, 'softshard: the dependencies are not installed; run npm ci.\n'],
    );
    const unbuilt = await softshard([], {}, join(install('package'), 'bin', 'softshard.js'));
    assert.deepEqual(
      [unbuilt.code, unbuilt.err],
      [1, 'softshard: this package is not built; run npm run build.\n'],
    );
  });

  test('in a clone dist runs while it is what the sources compile to, and the sources when one has changed', async () => {
    const root = install('built');
    const main = join(root, 'dist', 'src', 'cli', 'main.js');
    mkdirSync(join(main, '..'), { recursive: true });
    mkdirSync(join(root, 'src', 'cli'), { recursive: true });
    writeFileSync(join(root, 'src', 'cli', 'main.ts'), '');
    writeFileSync(main, 'process.stdout.write("compiled\\n");');
    writeFileSync(join(root, 'dist', '.built-from'), listing(root));
    const file = join(root, 'bin', 'softshard.js');
    assert.equal((await softshard([], {}, file)).out, 'compiled\n');
    // Without dependencies the sources cannot run, which tells that they would.
    assert.match((await softshard([], { SOFTSHARD_SOURCE: '1' }, file)).err, /npm ci/);
    writeFileSync(join(root, 'src', 'cli', 'new.ts'), '');
    assert.match((await softshard([], {}, file)).err, /npm ci/);
  });

  test('works through a link, as package managers make them', async () => {
    const link = join(folder, 'softshard');
    symlinkSync(bin, link);
    assert.equal((await softshard(['--version'], {}, link)).code, 0);
  });
});

/** A student of a live teacher is the student of its cache, to the bit; and the teacher's end is never a riddle. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { availableEngines } from '../engines.ts';
import { runCommand } from '../fault/killed-command.ts';
import { repositoryRoot } from '../reference.ts';
import { makeTinyTeacher } from '../tiny-teacher.ts';
import { makeTinyData, type TinyData } from '../tiny-training.ts';

const LONG = process.env['SOFTSHARD_TEST_LONG'] === '1';
const ENGINE = availableEngines()[0] ?? 'wasm';
const IMAGE_SIZE = LONG ? 320 : 64;
const STEPS = LONG ? 100 : 32;

const FILES = ['checkpoint.safetensors', 'last.safetensors', 'best.safetensors', 'results.csv'];
const HYP = ['mosaic: 1', 'mixup: 0.3', 'degrees: 10', 'scale: 0.5', 'hsv_h: 0.1', 'fliplr: 0.5', ''];
const runPlaces = z.object({ places: z.object({ command: z.string() }) });
const PIPELINE = 'test/train/fixtures/live-pipeline.ts';

/** Every process below `pid`, with its command line. */
function below(pid: number): { readonly pid: number; readonly command: string }[] {
  const rows = spawnSync('ps', ['-e', '-o', 'pid=,ppid=,args=']).stdout.toString().split('\n');
  const all = rows.map((row) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(row)).filter((row) => row !== null);
  const childrenOf = (parent: number): { pid: number; command: string }[] =>
    all
      .filter(([, , ppid]) => Number(ppid) === parent)
      .flatMap(([, child, , command = '']) => [
        { pid: Number(child), command },
        ...childrenOf(Number(child)),
      ]);
  return childrenOf(pid);
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 600 && !condition(); i++) await sleep(100);
  assert.ok(condition(), what);
}

describe(`a live teacher on ${ENGINE}`, () => {
  let folder: string;
  let tiny: TinyData;
  let teacher: string;
  let hyp: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-live-'));
    tiny = await makeTinyData(join(folder, 'data'), { train: 14, unlabelled: 5, val: 0 });
    teacher = await makeTinyTeacher(folder);
    hyp = join(folder, 'hyp.yaml');
    await writeFile(hyp, HYP.join('\n'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const swap = (name: string, live: boolean, codec = 'fp32'): string[] => [
    ...['run', PIPELINE, '--set', `data=${tiny.data}`, '--set', `teacher=${teacher}`, '--set', `hyp=${hyp}`],
    ...['--set', `cfg=${tiny.model}`, '--set', `imgsz=${IMAGE_SIZE}`, '--set', `steps=${STEPS}`],
    ...['--set', `codec=${codec}`, '--set', `engine=${ENGINE}`, '--set', `folder=${join(folder, name)}`],
    ...['--set', `live=${live}`],
  ];
  const equalRuns = async (one: string, other: string): Promise<void> => {
    for (const file of FILES) {
      const [a, b] = await Promise.all([one, other].map((run) => readFile(join(folder, run, file))));
      assert.ok(a !== undefined && b !== undefined && a.equals(b), file);
    }
  };
  /** The command that the pipeline ran for the live teacher's student, for a run of another name. */
  const liveTraining = async (name: string): Promise<string[]> => {
    const text = await readFile(join(folder, 'fp32', 'live', 'run.json'), 'utf8');
    const { command } = runPlaces.parse(JSON.parse(text)).places;
    const words = command.replace('--name live', `--name ${name}`).split(' ').slice(1);
    return words.map((word) => word.replace(/^'(.*)'$/, '$1'));
  };
  /** Starts a training and waits until its teacher has answered. */
  const startTraining = async (
    argv: readonly string[],
  ): Promise<{ child: ChildProcess; output: () => string; live: number; pids: number[] }> => {
    const child = spawn(process.execPath, [join(repositoryRoot, 'bin', 'softshard.js'), ...argv], {
      ...{ cwd: repositoryRoot, stdio: ['ignore', 'ignore', 'pipe'] },
    });
    let output = '';
    child.stderr.on('data', (text: Buffer) => (output += text.toString()));
    await until(() => output.includes('images/s') || child.exitCode !== null, 'no batch was trained on');
    const family = below(child.pid ?? 0);
    const live = family.find(({ command }) => command.includes('stages/live'))?.pid;
    assert.ok(live !== undefined, `no teacher among ${JSON.stringify(family)}: ${output}`);
    return { child, output: () => output, live, pids: family.map(({ pid }) => pid) };
  };

  for (const codec of LONG ? ['fp32', 'fp16', 'sparse'] : ['fp32']) {
    test(`in the place of its cache it gives the same student, ${STEPS} steps, mosaic, ${codec}`, async () => {
      for (const live of [false, true]) {
        const ended = await runCommand(swap(codec, live, codec));
        assert.equal(ended.code, 0, ended.output);
      }
      await equalRuns(join(codec, 'cached'), join(codec, 'live'));
    });
  }

  test('a dead teacher is told; the same command goes on with a new one to the same student', async () => {
    const argv = await liveTraining('hurt');
    const { child, output, live } = await startTraining(argv);
    process.kill(live, 'SIGKILL');
    await new Promise((resolve) => child.on('close', resolve));
    assert.equal(child.exitCode, 1, output());
    assert.match(output(), /E_STEP_FAILED[^]*The live teacher ended by the signal SIGKILL/);
    const again = await runCommand(argv);
    assert.equal(again.code, 0, again.output);
    await equalRuns(join('fp32', 'cached'), join('fp32', 'hurt'));
  });

  test('kill -9 of the parent ends student and teacher', async () => {
    const { child, pids } = await startTraining([...(await liveTraining('orphan')), '--epochs=500']);
    assert.ok(pids.length >= 2);
    child.kill('SIGKILL');
    await until(() => pids.every((pid) => !isAlive(pid)), 'a process outlived its parent');
    assert.ok(existsSync(join(folder, 'fp32', 'orphan', 'checkpoint.safetensors')));
  });
});

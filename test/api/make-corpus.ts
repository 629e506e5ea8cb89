/**
 * Script: makes a corpus of this version's artefacts in a new folder: `node --conditions=softshard-source --import tsx
 * test/api/make-corpus.ts DIR`. Takes twenty seconds, on wasm with one thread, so that every machine makes the same.
 */
import { spawnSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { repositoryRoot } from '../reference.ts';
import { makeTinyTeacher } from '../tiny-teacher.ts';
import { makeTinyData } from '../tiny-training.ts';
import { CORPUS_CACHES, CORPUS_RUN, corpusContent } from './corpus-content.ts';

const [, , name] = process.argv;
if (name === undefined) throw new Error('name the folder that is to be made');
const folder = resolve(name);
await mkdir(join(folder, 'data'), { recursive: true });
await makeTinyData(join(folder, 'data'), { train: 4, unlabelled: 2, val: 2 });
const teacher = await makeTinyTeacher(folder);

/** Runs a command in the folder, so that no path outside it is written down. */
const softshard = (...args: string[]): void => {
  const environment = ['--data', 'data/tiny.yaml', '--imgsz', '64', '--engine', 'wasm', '--threads', '1'];
  const bin = join(repositoryRoot, 'bin', 'softshard.js');
  const { status } = spawnSync(process.execPath, [bin, ...args, ...environment], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) throw new Error(`softshard ${args.join(' ')} ended with ${String(status)}`);
};

const [half, single] = CORPUS_CACHES;
const teach = ['teach', '--weights', 'teacher-5.safetensors', '--unit-views', '4'];
softshard(...teach, '--hints', '3', '--views', '2', '--codec', 'fp16', '--cache', half);
softshard(...teach, '--codec', 'fp32', '--cache', single);
const hint = ['--set', 'distill.hints.0.student=3', '--set', 'distill.hints.0.teacher=3'];
const train = [
  'train',
  '--cfg',
  'data/tiny-model.yaml',
  '--cache',
  half,
  '--epochs',
  '2',
  '--batch-size',
  '4',
];
softshard(...train, ...hint, '--project', '.', '--name', CORPUS_RUN);

await rm(join(folder, 'data'), { recursive: true });
await rm(teacher);
for (const each of [...CORPUS_CACHES, CORPUS_RUN])
  await rm(join(folder, `${each}.local`), { recursive: true, force: true });
await writeFile(join(folder, 'content.json'), `${JSON.stringify(await corpusContent(folder))}\n`);

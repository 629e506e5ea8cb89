/** Every kind of output and of hint as a user reaches it: by --set, from one cache, on a few drawn pictures. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { availableEngines } from '../engines.ts';
import { runCommand, type Ended } from '../fault/killed-command.ts';
import { makeTinyTeacher } from '../tiny-teacher.ts';
import { makeTinyData, type TinyData } from '../tiny-training.ts';

const ENGINE = availableEngines()[0] ?? 'wasm';
const long = process.env['SOFTSHARD_TEST_LONG'] !== undefined;

/** Settings below `distill`, each with what they are to log. */
const RUNS: readonly { readonly name: string; readonly set: readonly string[]; readonly quick?: true }[] = [
  {
    name: 'decoded and fgd',
    set: ['output.kind=decoded', 'hints.0.kind=fgd', 'hints.0.norm=both'],
    quick: true,
  },
  { name: 'ld and mgd', set: ['output.kind=ld', 'output.classes=softmax', 'hints.0.kind=mgd'], quick: true },
  {
    name: 'pseudo and weighted cosine',
    set: [
      'output.kind=pseudo',
      'output.confidence=0.001',
      'hints.0.kind=cosine',
      'hints.0.pixels=objectness',
    ],
    quick: true,
  },
  { name: 'dkd and boxes', set: ['output.kind=dkd', 'hints.0.kind=l1', 'hints.0.pixels=boxes'] },
  { name: 'split and cwd', set: ['output.kind=split', 'hints.0.kind=cwd', 'hints.0.norm=student'] },
  { name: 'original split and pkd', set: ['output.kind=split', 'output.form=original', 'hints.0.kind=pkd'] },
  { name: 'kl and at', set: ['output.kind=kl', 'output.temperature=3', 'hints.0.kind=at'] },
  {
    name: 'hints alone, by objectness',
    set: ['output.kind=none', 'hints.0.kind=mse', 'hints.0.pixels=objectness'],
  },
];

describe(`kinds of distillation on ${ENGINE}`, () => {
  let folder: string;
  let tiny: TinyData;
  const train = (name: string, set: readonly string[]): Promise<Ended> =>
    runCommand([
      ...['train', '--data', tiny.data, '--cfg', tiny.model, '--imgsz', '64', '--epochs', '1', '--no-val'],
      ...['--batch-size', '4', '--engine', ENGINE, '--cache', join(folder, 'cache')],
      ...['--project', join(folder, 'runs'), '--name', name],
      ...set.flatMap((setting) => ['--set', `distill.${setting}`]),
    ]);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-kinds-'));
    tiny = await makeTinyData(join(folder, 'data'), { train: 5, unlabelled: 3, val: 0 });
    const weights = await makeTinyTeacher(folder);
    const taught = await runCommand([
      ...['teach', '--weights', weights, '--data', tiny.data, '--imgsz', '64', '--engine', ENGINE],
      ...['--hints', '3', '--unit-views', '4', '--cache', join(folder, 'cache')],
    ]);
    assert.equal(taught.code, 0, taught.output);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const { name, set, quick } of RUNS) {
    test(name, { skip: quick === true || long ? false : 'SOFTSHARD_TEST_LONG runs it' }, async () => {
      const run = name.replaceAll(/\W+/g, '-');
      const ended = await train(run, ['hints.0.student=3', 'hints.0.teacher=3', ...set]);
      assert.equal(ended.code, 0, ended.output);
      const [header = '', row = ''] = (
        await readFile(join(folder, 'runs', run, 'results.csv'), 'utf8')
      ).split('\n');
      const values = new Map(
        header.split(',').map((column, i) => [column.trim(), Number(row.split(',')[i])]),
      );
      const terms = set.includes('output.kind=none')
        ? []
        : set.includes('output.kind=kl')
          ? ['output/all']
          : ['output/box', 'output/obj', 'output/cls'];
      for (const term of [...terms, 'hint/3-3', 'weighted/hint/3-3']) {
        const value = values.get(`train/${term}`) ?? NaN;
        assert.ok(Number.isFinite(value) && value >= 0, `${term}: ${value} in ${header}`);
      }
      assert.ok((values.get('train/hint/3-3') ?? 0) > 0);
    });
  }

  test('a setting that the kind does not read, or does not know, is refused by name', async () => {
    const unread = await train('refused', ['output.kind=l2', 'output.beta=2']);
    assert.match(unread.output, /beta belongs to the kinds dkd/);
    const unknown = await train('refused', ['output.kind=paper']);
    assert.match(unknown.output, /distill\.output\.kind/);
    for (const ended of [unread, unknown]) assert.equal(ended.code, 1);
  });
});

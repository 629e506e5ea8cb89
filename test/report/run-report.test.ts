import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { command } from '../../src/cli/report.ts';
import { rowsText } from '../../src/report/model-table.ts';
import { isSoftshardError } from '../../src/errors.ts';
import type { StepContext } from '../../src/flow/step-command.ts';
import { parseResults } from '../../src/report/results-table.ts';
import { runCurves } from '../../src/report/run-curves.ts';
import { spreadSamples } from '../../src/report/run-mosaic.ts';
import { writeRunReport } from '../../src/report/run-report.ts';
import { flatEntries, runSections } from '../../src/report/run-sections.ts';
import { writeTinyModel } from '../evaluate/tiny-model.ts';
import { makeTinyData } from '../tiny-training.ts';
import { markupFault } from './markup.ts';

const RESULTS = `epoch,train/box_loss,train/obj_loss,train/output/cls,train/weighted/hard/box,train/total,x/lr1,x/lr0,metrics/precision,metrics/mAP_0.5,metrics/mAP_0.5:0.95,val/box_loss,extra
0,1,2,3,4,10,0.01,0.1,,,,5,7
1,0.5,1,1.5,2,5,0.005,0.005,0.5,0.4,0.2,4,8
`;

describe('results.csv', () => {
  test('is read with empty cells and short lines', () => {
    const { columns, rows } = parseResults('a, b,c\r\n1,,3\n4\n\n');
    assert.deepEqual(columns, ['a', 'b', 'c']);
    assert.deepEqual(rows, [
      [1, NaN, 3],
      [4, NaN, NaN],
    ]);
    assert.deepEqual(parseResults(''), { columns: [], rows: [] });
  });

  test('becomes a chart for each kind of column', () => {
    const curves = runCurves(parseResults(RESULTS));
    assert.deepEqual(
      curves.map(({ title, series }) => [title, ...series.map(({ name }) => name)]),
      [
        ['Mean average precision', 'mAP50', 'mAP50-95'],
        ['Precision and recall', 'precision'],
        ['Loss, total', 'total'],
        ['Loss on labels, training', 'box', 'obj'],
        ['Loss on labels, validation', 'box'],
        ['Loss terms, weighted', 'hard/box'],
        ['Loss terms, unweighted: output', 'cls'],
        ['Learning rate', 'weights', 'biases'],
        ['Extra', 'extra'],
      ],
    );
    assert.deepEqual(curves[0]?.series[0]?.points, [[1, 0.4]]);
    assert.deepEqual(curves[5]?.series[0]?.points, [
      [0, 4],
      [1, 2],
    ]);
  });
});

test('nested records become dotted keys', () => {
  assert.deepEqual(flatEntries({ a: { b: 1, c: null, d: [1, 2] }, e: true, f: '' }), [
    ['a.b', 1],
    ['a.d', '[1,2]'],
    ['e', 'true'],
  ]);
});

test('the mosaic takes labelled images from all over the split', () => {
  const sample = (index: number, labels: [] | undefined) => ({
    index,
    path: '',
    file: '',
    digest: '',
    width: 1,
    height: 1,
    labels,
  });
  const samples = Array.from({ length: 40 }, (_, i) => sample(i, i % 2 === 0 ? [] : undefined));
  assert.deepEqual(
    spreadSamples(samples).map(({ index }) => index),
    [0, 4, 10, 14, 20, 24, 30, 34],
  );
  assert.equal(spreadSamples(samples.slice(0, 3)).length, 2);
});

test('what was given is shown: the keys of files, and settings; the command stands elsewhere', () => {
  const sections = runSections({
    identity: {},
    provenance: {},
    places: {
      command: 'softshard train',
      data: 'd.yaml',
      given: {
        hyp: { file: 'my.yaml', text: 'lr0: 0.02 # higher\nmosaic: 0\n' },
        distill: { file: 'terms.yaml', text: 'output: {kind: l2}' },
        cfg: { file: 'yolov5p.yaml', text: null },
        set: { hyp: { lr0: 0.5 } },
      },
    },
  });
  assert.deepEqual(sections, [
    { title: 'Where', entries: [['data', 'd.yaml']] },
    {
      title: '--hyp my.yaml',
      entries: [
        ['lr0', 0.02],
        ['mosaic', 0],
      ],
    },
    { title: '--distill terms.yaml', entries: [['output.kind', 'l2']] },
    { title: '--set', entries: [['hyp.lr0', 0.5]] },
  ]);
});

describe('the report of a run', () => {
  let folder: string;
  let run: string;
  let data: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-report-'));
    run = join(folder, 'run');
    await mkdir(run);
    ({ data } = await makeTinyData(folder, { train: 2, unlabelled: 0, val: 2 }));
    await writeTinyModel(join(run, 'best.safetensors'));
    await writeFile(join(run, 'results.csv'), RESULTS);
    const record = {
      format: 'softshard-run',
      major: 1,
      minor: 0,
      identity: { options: { imgsz: 64, seed: 5 }, data: 'abc' },
      provenance: { node: 'v20' },
      places: { data, cache: 'cache/x', epochs: 2, cfg: 'tiny.yaml' },
    };
    await writeFile(join(run, 'run.json'), JSON.stringify(record));
  });
  after(() => rm(folder, { recursive: true }));

  const context: StepContext = {
    signal: new AbortController().signal,
    run: 'report-1',
    step: 'report',
    emit: () => undefined,
    info: () => undefined,
    warn: () => undefined,
  };

  test('holds curves, table, mosaic, command and provenance', async () => {
    const options = command.options.parse({
      run,
      teacher: join(run, 'best.safetensors'),
      baseline: run,
      engine: 'wasm',
      note: ['A <note>.'],
    });
    const result = await command.run(options, context);
    assert.equal(result.split, 'val');
    assert.deepEqual(
      result.rows.map(({ name }) => name),
      ['teacher', 'distilled student', 'labels only'],
    );
    const html = await readFile(result.report, 'utf8');
    assert.equal(markupFault(html), undefined);
    for (const text of [
      'Loss on labels, training',
      'distilled student',
      'data:image/jpeg;base64,',
      'softshard train',
      '--seed 5',
      'A &lt;note&gt;.',
      'cache/x',
    ]) {
      assert.ok(html.includes(text), text);
    }
    assert.match(rowsText(result.rows), /^model +parameters +MB +mAP50 +mAP50-95 +ms an image\nteacher/);
  });

  test('can be written without measuring anything', async () => {
    const path = await writeRunReport({ runFolder: run, rows: [], notes: [] });
    const html = await readFile(path, 'utf8');
    assert.ok(!html.includes('<table'));
    assert.ok(html.includes('Learning rate'));
  });

  test('of a folder without a run is E_RUN_MISSING', () =>
    assert.rejects(writeRunReport({ runFolder: folder, rows: [], notes: [] }), (error) =>
      isSoftshardError(error, 'E_RUN_MISSING'),
    ));
});

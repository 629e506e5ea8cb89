import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { dataset, evaluate, report, teach, train, weights, type CacheRef, type RunRef } from 'softshard';
import { commandLine } from '../../src/cli/argv-of.ts';
import { parseOptions } from '../../src/cli/options.ts';
import { comparison } from '../../src/pipeline/comparison.ts';
import { command as teachCommand } from '../../stages/teach.ts';
import { trainOptionsSchema } from '../../src/train/train-options.ts';
import { evaluateOptionsSchema } from '../../stages/evaluate.ts';
import { reportOptionsSchema } from '../../src/cli/report.ts';

const data = dataset('/data/a.yaml', 'train');
const cache: CacheRef = { kind: 'cache', dir: '/caches/a', found: 0, units: 1 };
const run: RunRef = {
  ...{ kind: 'run', dir: '/runs/a', best: '/runs/a/best.safetensors', last: '/runs/a/last.safetensors' },
  ...{ steps: 1, parameters: 1, found: false, metrics: null },
};
const student = { cfg: 's.yaml', data, imgsz: 96, epochs: 2, batchSize: 4, project: 'p', name: 'n' } as const;

/** Compiled, never called: the wrong artefact does not compile. */
export const wrong = (): readonly unknown[] => [
  // @ts-expect-error A run is no cache.
  train({ ...student, cache: run }),
  // @ts-expect-error A cache has no weights to measure.
  evaluate({ model: cache, data, imgsz: 96 }),
  // @ts-expect-error A report is about a run.
  report({ run: cache }),
  // @ts-expect-error A path is no data set.
  teach({ weights: weights('t.pt'), data: 'a.yaml', imgsz: 96, cache: 'c' }),
];

describe('steps', () => {
  test('the command lines are those that the steps read', () => {
    const made = teach({ weights: weights('/t.pt'), data, imgsz: 96, cache: '/c', hints: [4, 6], views: 2 });
    const taught = parseOptions(teachCommand.options, made.argv);
    assert.ok(!taught.help);
    assert.deepEqual((taught.options as { hints: number[] }).hints, [4, 6]);
    const distill = { output: { weight: 0.5 }, hints: [{ student: 4, teacher: 4 }] };
    const { argv } = train({ ...student, cache, val: false, cosLr: true, set: { distill } });
    const parsed = parseOptions(trainOptionsSchema, argv);
    assert.ok(!parsed.help);
    assert.deepEqual(parsed.options.set, { distill });
    assert.deepEqual(parsed.options.cache, ['/caches/a']);
    assert.equal(parsed.options.val, false);
    assert.equal(parsed.options.split, 'train');
    for (const [schema, step] of [
      [evaluateOptionsSchema, evaluate({ model: run, data, imgsz: 96, rect: true })],
      [reportOptionsSchema, report({ run, baseline: run, rect: false, note: 'a, b' })],
    ] as const)
      assert.equal(parseOptions(schema, step.argv).help, false);
  });

  test('a run is measured by its last weights', () => {
    const step = evaluate({ model: run, data, imgsz: 96 });
    assert.equal(
      commandLine(step.name, step.argv),
      'softshard evaluate --weights /runs/a/last.safetensors --data /data/a.yaml --split train --imgsz 96',
    );
  });

  test('each step is told apart by what it works on', () => {
    const measured = { data, imgsz: 96 };
    assert.deepEqual(
      [
        teach({ weights: weights('/t.pt'), data, imgsz: 96, cache: '/c' }),
        train({ ...student, name: 'distilled' }),
        evaluate({ model: run, ...measured }),
        evaluate({ model: weights('/t.pt'), ...measured }),
        report({ run }),
      ].map(({ name, label = name }) => label),
      ['teach', 'train distilled', 'evaluate a', 'evaluate t.pt', 'report a'],
    );
  });

  test('a result that lacks what the artefact needs is refused', () => {
    assert.throws(() => train(student).decode({ run: '/runs/a' }));
    const decoded = teach({ weights: weights('/t.pt'), data, imgsz: 96, cache: '/c' }).decode({
      ...{ cache: '/c', units: 3, found: 3 },
    });
    assert.deepEqual(decoded, { kind: 'cache', dir: '/c', units: 3, found: 3 });
  });

  test('the comparison lists models in their order', () => {
    const evaluation = {
      kind: 'evaluation' as const,
      ...{ weights: 'w', images: 1, instances: 1, P: 1, R: 1 },
      ...{ mAP50: 0.5, mAP50_95: 0.25, parameters: 12, bytes: 1e6, inferenceMs: 2 },
    };
    const [head, row] = comparison([['teacher', evaluation]]).split('\n');
    assert.match(head ?? '', /^model\s+parameters\s+MB\s+mAP50\s+mAP50-95\s+ms an image$/);
    assert.match(row ?? '', /^teacher\s+12\s+1\.00\s+0\.500\s+0\.250\s+2\.0$/);
  });
});

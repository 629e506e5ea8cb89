import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isSoftshardError } from '../../src/errors.ts';
import { checkDistillation } from '../../src/loss/check-distillation.ts';
import {
  distillationOptions,
  needsHeads,
  OUTPUT_KINDS,
  parseDistillationOptions,
} from '../../src/loss/distillation-options.ts';
import { createOutputLoss } from '../../src/loss/output.ts';
import { headSpec } from './on-engine.ts';

const constant = { kind: 'constant', from: 1, to: 1, offLastEpochs: 0 };
const isLossError =
  (words: RegExp) =>
  (error: unknown): boolean =>
    isSoftshardError(error, 'E_LOSS') && words.test(error.message);

describe('options', () => {
  test('defaults: soft outputs, no hints, everything with weight 1', () => {
    const expected = {
      output: { kind: 'soft', weight: 1, temperature: 1, schedule: constant },
      hints: [],
      hard: { weight: 1 },
    };
    assert.deepEqual(distillationOptions(undefined), expected);
    assert.deepEqual(parseDistillationOptions(''), expected);
  });

  test('a yaml with hints and schedules', () => {
    const options = parseDistillationOptions(`
output: { kind: l2, weight: 2.5, schedule: { kind: cosine, to: 0.01, offLastEpochs: 5 } }
hints:
  - { student: 17, teacher: 17, kind: cwd, weight: 0.1 }
  - { student: 20, teacher: 23, adapter: none }
hard: { weight: 0.5 }
`);
    assert.equal(options.output.kind, 'l2');
    assert.deepEqual(options.output.schedule, { kind: 'cosine', from: 1, to: 0.01, offLastEpochs: 5 });
    assert.deepEqual(options.hints, [
      {
        student: 17,
        teacher: 17,
        kind: 'cwd',
        weight: 0.1,
        adapter: 'conv1x1',
        temperature: 1,
        schedule: constant,
      },
      {
        student: 20,
        teacher: 23,
        kind: 'mse',
        weight: 1,
        adapter: 'none',
        temperature: 1,
        schedule: constant,
      },
    ]);
    assert.equal(options.hard.weight, 0.5);
  });

  test('changes go over the file, list items by index', () => {
    const text = 'output: { kind: l2, weight: 2 }\nhints: [{ student: 4, teacher: 6 }]';
    const options = parseDistillationOptions(text, { output: { weight: 1 }, hints: { 0: { weight: 0.2 } } });
    assert.deepEqual([options.output.kind, options.output.weight], ['l2', 1]);
    assert.deepEqual([options.hints[0]?.student, options.hints[0]?.weight], [4, 0.2]);
  });

  test('every kind of output makes a loss, and only none makes none', () => {
    for (const kind of OUTPUT_KINDS) {
      const { output } = distillationOptions({ output: { kind } });
      assert.equal(createOutputLoss(output) === undefined, kind === 'none', kind);
    }
  });

  test('an option is read by its kinds alone', () => {
    distillationOptions({ output: { kind: 'dkd', alpha: 1, beta: 2 } });
    distillationOptions({ output: { kind: 'split', form: 'original' } });
    distillationOptions({ output: { kind: 'pseudo', classes: 'l2', confidence: 0.3 } });
    distillationOptions({ hints: [{ student: 4, teacher: 4, kind: 'fgd', fgd: { lambda: 0 } }] });
    const fails = (options: unknown, words: RegExp): void => {
      assert.throws(() => distillationOptions(options), isLossError(words));
    };
    fails({ output: { kind: 'soft', beta: 2 } }, /beta belongs to the kinds dkd, not to soft/);
    fails({ output: { kind: 'soft', classes: 'l2' } }, /l2 classes belong to pseudo/);
    fails({ output: { kind: 'l2', confidence: 0.3 } }, /confidence belongs to the kinds pseudo/);
    const hint = { student: 4, teacher: 4 };
    fails({ hints: [{ ...hint, kind: 'pkd', pixels: 'boxes' }] }, /not in pkd/);
    fails({ hints: [{ ...hint, kind: 'mse', mgd: {} }] }, /mgd belongs to the kind mgd/);
    fails({ hints: [{ ...hint, kind: 'mgd', mgd: { hidden: 1 } }] }, /hints\.0\.mgd\.hidden/);
  });

  test('heads are read by outputs and by weights of pixels', () => {
    const hint = { student: 4, teacher: 4, kind: 'mse' };
    assert.ok(needsHeads(distillationOptions({})));
    assert.ok(!needsHeads(distillationOptions({ output: { kind: 'none' }, hints: [hint] })));
    const weighed = { output: { kind: 'none' }, hints: [{ ...hint, pixels: 'objectness' }] };
    assert.ok(needsHeads(distillationOptions(weighed)));
  });

  test('nonsense is E_LOSS with the key named', () => {
    const fails = (options: unknown, words: RegExp): void => {
      assert.throws(() => distillationOptions(options), isLossError(words));
    };
    fails({ output: { kind: 'hard' } }, /distill\.output\.kind/);
    fails({ output: { weight: -1 } }, /distill\.output\.weight/);
    fails({ output: { weight: 'much' } }, /distill\.output\.weight/);
    fails({ output: { temperature: 0 } }, /distill\.output\.temperature/);
    fails({ outputs: {} }, /outputs/);
    fails({ hints: [{ student: 4 }] }, /distill\.hints\.0\.teacher/);
    fails(
      {
        hints: [
          { student: 4, teacher: 4 },
          { student: 4, teacher: 4, kind: 'l1' },
        ],
      },
      /same pair/,
    );
    fails({ hints: [{ student: -1, teacher: 4 }] }, /distill\.hints\.0\.student/);
    fails('soft', /distill/);
    assert.throws(() => parseDistillationOptions('a: [', {}, 'my.yaml'), isLossError(/my\.yaml/));
  });
});

describe('options against two models', () => {
  const party = { head: headSpec(3), layers: 25 };
  const check = (options: unknown, teacher = party, epochs = 10): void =>
    checkDistillation(distillationOptions(options), { student: party, teacher, epochs });

  test('the defaults and hints on inner layers pass', () => {
    check({});
    check({ hints: [{ student: 23, teacher: 0 }] });
  });

  test('a hint layer that is not in the graph, or is the head', () => {
    assert.throws(
      () => check({ hints: [{ student: 24, teacher: 17 }] }),
      isLossError(/student has no layer 24[^]*0\.\.\.23/),
    );
    assert.throws(
      () => check({ hints: [{ student: 17, teacher: 99 }] }),
      isLossError(/teacher has no layer 99/),
    );
  });

  test('unequal heads matter for outputs only', () => {
    const other = { ...party, head: headSpec(80) };
    assert.throws(() => check({}, other), isLossError(/number of classes/));
    check({ output: { kind: 'none' }, hints: [{ student: 17, teacher: 17 }] }, other);
  });

  test('terms that are never on, or no term at all', () => {
    assert.throws(() => check({ output: { schedule: { offLastEpochs: 10 } } }), isLossError(/never be on/));
    assert.throws(
      () => check({ output: { kind: 'none' }, hard: { weight: 0 } }),
      isLossError(/nothing would be learnt/),
    );
  });
});

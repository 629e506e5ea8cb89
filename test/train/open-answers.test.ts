import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { parseOptions } from '../../src/cli/options.ts';
import type { Dataset } from '../../src/data/sample.ts';
import { isSoftshardError, type ErrorCode } from '../../src/errors.ts';
import { liveOptionsSchema } from '../../src/teach/live-options.ts';
import { liveTeacherOptions, openAnswers } from '../../src/train/open-answers.ts';
import { trainOptionsSchema, type TrainOptions } from '../../src/train/train-options.ts';

const options = (more: Partial<TrainOptions> = {}): TrainOptions => ({
  ...trainOptionsSchema.parse({ data: 'a.yaml', split: 'train', imgsz: 96 }),
  ...more,
});
const nothing: Dataset = {
  ...{
    root: '',
    split: 'train',
    samples: [],
    names: [],
    namesKnown: true,
    digest: '',
    labelsDigest: '',
    dropped: [],
  },
};
const context = { signal: new AbortController().signal, info: () => undefined, warn: () => undefined };

describe('the live teacher of a run', () => {
  test('is asked for the run’s data, with the settings of the group teach over them', () => {
    const settings = { 'unit-views': 8, hints: '4,6', set: { hyp: { mosaic: 1 } }, imgsz: 128, threads: 3 };
    const { argv, engine } = liveTeacherOptions(options(), 't.pt', settings, undefined);
    const parsed = parseOptions(liveOptionsSchema, argv);
    assert.ok(!parsed.help);
    const { weights, data, split, imgsz, unitViews, hints, set, threads, codec } = parsed.options;
    assert.deepEqual(
      { weights, data, split, imgsz, unitViews, hints, set, threads, codec },
      {
        ...{ weights: 't.pt', data: 'a.yaml', split: 'train', imgsz: 128, unitViews: 8, hints: [4, 6] },
        ...{ set: { hyp: { mosaic: 1 } }, threads: 3, codec: 'fp16' },
      },
    );
    assert.equal(engine.threads, 3);
  });

  test('goes on with the engine, threads and instructions that it began with', () => {
    const recorded = { name: 'native', threads: 7, isa: 'AVX2' } as const;
    const { argv, engine } = liveTeacherOptions(options(), 't.pt', {}, recorded);
    assert.deepEqual(engine, { threads: 7, isa: 'AVX2' });
    assert.match(argv.join(' '), /--engine native --threads 7/);
  });

  test('is one, and its settings are options of teach', async () => {
    const refusals: [TrainOptions, Record<string, unknown>, ErrorCode, RegExp][] = [
      [options({ cache: 'c', liveTeacher: 't.pt' }), {}, 'E_OPTION_CONFLICT', /one teacher/],
      [options({ cache: 'c' }), { views: 2 }, 'E_OPTION_CONFLICT', /teach\.views[^]*--live-teacher FILE/],
      [options({ liveTeacher: 't.pt' }), { veiws: 2 }, 'E_USAGE', /veiws/],
      [options({ liveTeacher: 't.pt' }), { cache: 'c' }, 'E_USAGE', /cache/],
      [options({ liveTeacher: 't.pt' }), { views: 'many' }, 'E_USAGE', /views/],
    ];
    for (const [asked, settings, code, message] of refusals) {
      await assert.rejects(
        openAnswers(asked, nothing, settings, undefined, context),
        (error) => isSoftshardError(error, code) && message.test(error.message),
      );
    }
    assert.equal(await openAnswers(options(), nothing, {}, undefined, context), undefined);
  });
});

import { test } from 'node:test';
import assert from 'node:assert/strict';
import { parseOptions } from '../../src/cli/options.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { checkSampling } from '../../src/train/check-sampling.ts';
import { trainOptionsSchema } from '../../src/train/train-options.ts';

type Given = Parameters<typeof checkSampling>[0];

/** A run with these options; `teacher` has that many views, the last `closed` of them without mosaic. */
function closedBy(
  argv: readonly string[],
  { unlabelled = 0, teacher }: { unlabelled?: number; teacher?: { views: number; closed: number } } = {},
): number {
  const parsed = parseOptions(trainOptionsSchema, ['--data', 'd', '--epochs', '10', ...argv]);
  assert.ok(!parsed.help);
  const samples = Array.from({ length: 4 }, (_, i) => ({ labels: i < unlabelled ? undefined : [] }));
  const cache =
    teacher === undefined
      ? undefined
      : { teacher: { views: teacher.views, closeMosaic: teacher.closed, imageSize: 320 } };
  return checkSampling({ options: parsed.options, dataset: { samples }, cache } as unknown as Given);
}

const refused = (text: RegExp, ...given: Parameters<typeof closedBy>): void => {
  assert.throws(
    () => closedBy(...given),
    (error) => isSoftshardError(error, 'E_OPTION_CONFLICT') && text.test(error.message),
  );
};

test('epochs without mosaic are those of the cache, or those that are asked for', () => {
  assert.equal(closedBy([]), 0);
  assert.equal(closedBy(['--close-mosaic', '3']), 3);
  assert.equal(closedBy(['--close-mosaic', '3', '--views', '4']), 3);
  assert.equal(closedBy([], { teacher: { views: 4, closed: 2 } }), 2);
  assert.equal(closedBy(['--close-mosaic', '2'], { teacher: { views: 4, closed: 2 } }), 2);
  refused(/last 2 views of the cache are without mosaic/, ['--close-mosaic', '1'], {
    teacher: { views: 4, closed: 2 },
  });
  refused(/No view with mosaic would be left/, ['--views', '2', '--close-mosaic', '2']);
  refused(/No view with mosaic would be left/, ['--image-weights', '--close-mosaic', '10']);
});

test('what does not go with a teacher, with unlabelled images or with one another is refused and says why', () => {
  const teacher = { views: 1, closed: 0 };
  refused(/grids of that size/, ['--multi-scale'], { teacher });
  refused(/square views/, ['--rect'], { teacher });
  refused(/fixed groups.*--image-weights/s, ['--rect', '--image-weights']);
  refused(/fixed groups.*--steps-per-epoch/s, ['--rect', '--steps-per-epoch', '3']);
  refused(/never be drawn.*1 unlabelled/s, ['--image-weights'], { unlabelled: 1 });
  refused(/never be drawn/, ['--image-weights', '--labelled-share', '0.5']);
  assert.equal(closedBy(['--rect', '--multi-scale']), 0);
});

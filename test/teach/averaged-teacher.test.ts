import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { isSoftshardError } from '../../src/errors.ts';
import type { HeadSpec } from '../../src/model/detector.ts';
import { averagedTeacher } from '../../src/teach/averaged-teacher.ts';
import type { LoadedTeacher } from '../../src/teach/load-teacher.ts';
import type { BatchAnswer } from '../../src/teach/running-teacher.ts';

const HEAD: HeadSpec = {
  ...{ nc: 1, na: 1, no: 6, strides: [8, 16], names: ['cell'] },
  anchors: [[[8, 8]], [[16, 16]]],
};

/** A teacher that always says the same, and notes when it ends. */
function teacher(digest: string, said: readonly BatchAnswer[], ended: string[], head = HEAD): LoadedTeacher {
  return {
    ...{ head, features: [], model: undefined, runtime: undefined, summary: { digest, head, layers: [] } },
    start: () => Promise.resolve({ answer: () => said, dispose: () => void ended.push(digest) }),
    close: () => {
      ended.push(digest);
      return Promise.resolve();
    },
  };
}

const blob = (name: string, ...values: number[]): BatchAnswer => ({
  ...{ name, shape: [values.length], values: Float32Array.from(values) },
});

describe('averagedTeacher', () => {
  const ended: string[] = [];
  const first = teacher('a', [blob('head.0', 1, -2), blob('head.1', 3), blob('feature.4', 9)], ended);
  const second = teacher('b', [blob('head.1', 5), blob('head.0', 3, 2)], ended);

  test('answers with the mean of the logits and the features of the first', async () => {
    const running = await averagedTeacher(first, [second]).start();
    const answers = await running.answer([], { width: 8, height: 8 });
    assert.deepEqual(
      answers.map(({ name, values }) => [name, ...values]),
      [
        ['head.0', 2, 0],
        ['head.1', 4],
        ['feature.4', 9],
      ],
    );
    await running.dispose();
    assert.deepEqual(ended.splice(0), ['a', 'b']);
  });

  test('is identified by all; alone it is itself', async () => {
    const both = averagedTeacher(first, [second]);
    const digests = [first, second, both, averagedTeacher(second, [first])].map(
      ({ summary }) => summary.digest,
    );
    assert.equal(new Set(digests).size, 4);
    assert.equal(averagedTeacher(first, []), first);
    await both.close();
    assert.deepEqual(ended.splice(0), ['a', 'b']);
  });

  test('of unlike heads is refused', () => {
    const other = teacher('c', [], ended, { ...HEAD, strides: [8, 32] });
    assert.throws(
      () => averagedTeacher(first, [other]),
      (error) => isSoftshardError(error, 'E_LOSS') && error.message.includes('--average-with'),
    );
  });
});

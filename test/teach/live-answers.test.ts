import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { from, map } from 'rxjs';
import { codedAnswers } from '../../src/cache/part.ts';
import { decodeRecord } from '../../src/cache/record.ts';
import { floatBlob, type Target } from '../../src/cache/target.ts';
import { makePlan, type ViewKey } from '../../src/data/plan.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { createCredits } from '../../src/flow/credits.ts';
import { source } from '../../src/stage.ts';
import { liveAnswers, type LiveAnswers } from '../../src/teach/live-answers.ts';
import { batchOf } from '../../src/teach/teach-batch.ts';

const BATCH = 3;
const plan = makePlan({ samples: 11, views: 2, unitViews: 5 });
const answers = codedAnswers({
  answers: [
    { kind: 'heads', blobs: ['h'], codec: 'fp32' },
    { kind: 'feature.2', blobs: ['f'], codec: 'fp32' },
  ],
});
const [heads] = answers;

/** Answers whose values tell the batch that they were made in. */
function makeAnswers(keepBytes: number): { live: LiveAnswers; batches: string[] } {
  const batches: string[] = [];
  const chain = source((unit) => {
    const members = unit.views.map(({ sample }) => sample);
    batches.push(`${unit.view}:${members.join(',')}`);
    return from(unit.views).pipe(
      map(({ sample, view }): Target => ({
        ...{ sample, view, inputDigest: '', record: {} },
        blobs: new Map([
          ['h', { shape: [2], data: Float32Array.of(members[0] ?? -1, members.length) }],
          ['f', { shape: [1], data: Float32Array.of(sample) }],
        ]),
      })),
    );
  });
  const context = {
    credits: createCredits(1),
    signal: new AbortController().signal,
    emit: () => undefined,
  };
  return {
    live: liveAnswers({
      plan,
      teachBatch: BATCH,
      source: chain,
      context,
      answers,
      keepBytes,
      concurrency: 2,
    }),
    batches,
  };
}

const valuesOf = (record: Uint8Array | undefined): readonly number[] => {
  assert.ok(record !== undefined && heads !== undefined);
  return [...floatBlob(decodeRecord(record, heads.stored, 'test'), 'h').data];
};

describe('live answers', () => {
  test('are made in the batches of teach: inside units, the last one short', () => {
    const members = (sample: number, view: number): number[] =>
      batchOf(plan, BATCH, { sample, view }).views.map((key) => key.sample);
    assert.deepEqual(members(0, 0), [0, 1, 2]);
    assert.deepEqual(members(4, 1), [3, 4]);
    assert.deepEqual(members(5, 1), [5, 6, 7]);
    assert.deepEqual(members(10, 0), [10]);
    for (const key of [
      { sample: 11, view: 0 },
      { sample: 0, view: 2 },
    ])
      assert.throws(
        () => batchOf(plan, BATCH, key),
        (error) => isSoftshardError(error, 'E_CACHE_INCOMPLETE'),
      );
  });

  test('to any questions are those of the batch, whatever is kept', async () => {
    const key = fc.record({ sample: fc.nat({ max: 10 }), view: fc.nat({ max: 1 }) });
    const questions = fc.array(fc.array(key, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(questions, fc.constantFrom(0, 700, 1e6), async (asked: ViewKey[][], keepBytes) => {
        const { live } = makeAnswers(keepBytes);
        const answered = await Promise.all(asked.map((keys) => live.recordsOf({ keys, kinds: ['heads'] })));
        asked.forEach((keys, i) =>
          keys.forEach((one, j) => {
            const batch = batchOf(plan, BATCH, one).views;
            assert.deepEqual(valuesOf(answered[i]?.[j]), [batch[0]?.sample, batch.length]);
          }),
        );
        assert.equal(live.counts.asked, asked.flat().length);
      }),
      { seed: 1, numRuns: 40 },
    );
  });

  test('are computed once where there is room, and again where they had to be forgotten', async () => {
    const everything = plan.units.flatMap((unit) => unit.views);
    const roomy = makeAnswers(1e6);
    for (const key of [...everything, ...everything])
      await roomy.live.recordsOf({ keys: [key], kinds: ['heads'] });
    assert.deepEqual(roomy.live.counts, { asked: 44, seen: 22 });
    assert.equal(new Set(roomy.batches).size, roomy.batches.length);
    const tight = makeAnswers(0);
    for (const key of everything) await tight.live.recordsOf({ keys: [key], kinds: ['heads'] });
    assert.equal(tight.live.counts.seen, 2 * (9 + 4 + 9 + 4 + 1));
  });

  test('of several kinds stand together; an unknown kind is refused', async () => {
    const { live } = makeAnswers(1e6);
    const records = await live.recordsOf({
      keys: [
        { sample: 3, view: 0 },
        { sample: 9, view: 1 },
      ],
      kinds: ['feature.2', 'heads'],
    });
    assert.equal(records.length, 4);
    assert.deepEqual(valuesOf(records[3]), [8, 2]);
    await assert.rejects(
      live.recordsOf({ keys: [{ sample: 0, view: 0 }], kinds: ['nms'] }),
      (error) => isSoftshardError(error, 'E_CACHE_INCOMPLETE') && error.message.includes('nms'),
    );
  });
});

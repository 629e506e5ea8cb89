import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { DecodeJob } from '../../src/augment/decode-job.ts';
import { startDecodeThreads } from '../../src/augment/decode-threads.ts';
import { isSoftshardError, SoftshardError } from '../../src/errors.ts';
import { bankView } from './view-bank.ts';

/** A thread that answers view 0, never answers view 1, and dies of any other. */
const FRAIL = `
  const { parentPort } = require('node:worker_threads');
  parentPort.on('message', ({ id, job }) => {
    const view = job.record.view;
    if (view === 0) parentPort.postMessage({ id, result: { labels: undefined, pixelDigest: 'ok', decoded: [] } });
    if (view === 2) process.exit(7);
    if (view === 3) throw new Error('out of luck');
  });`;
const frail = (): Worker => new Worker(FRAIL, { eval: true, stderr: true });

const job = (view: number): DecodeJob => ({
  record: { ...bankView(0), view },
  sources: [],
  loaded: [],
  room: 0,
  slot: new SharedArrayBuffer(1),
});
const failed = (work: Promise<unknown>): Promise<SoftshardError> =>
  work.then(
    () => assert.fail('nothing was thrown'),
    (e: unknown) => (e instanceof SoftshardError ? e : assert.fail(String(e))),
  );

describe('a thread that dies', () => {
  for (const [view, reason] of [
    [2, /exit code 7/],
    [3, /out of luck/],
  ] as const) {
    test(`rejects all it had in hand: ${reason.source}`, async () => {
      const threads = startDecodeThreads(1, frail);
      assert.equal((await threads.run(job(0))).pixelDigest, 'ok');
      const waiting = failed(threads.run(job(1)));
      const fatal = failed(threads.run(job(view)));
      for (const error of [await waiting, await fatal]) {
        assert.ok(isSoftshardError(error, 'E_INTERNAL'));
        assert.match(error.message, reason);
      }
      assert.match((await failed(threads.run(job(0)))).message, reason, 'nobody is left');
      await threads.close();
    });
  }

  test('leaves the others at work', async () => {
    const threads = startDecodeThreads(2, frail);
    const hanging = failed(threads.run(job(1)));
    await failed(threads.run(job(2)));
    assert.equal((await threads.run(job(0))).pixelDigest, 'ok');
    await threads.close();
    assert.equal((await hanging).code, 'E_ABORTED');
  });
});

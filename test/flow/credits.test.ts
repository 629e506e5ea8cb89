import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createCredits, type Lease } from '../../src/flow/credits.ts';
import { isSoftshardError } from '../../src/errors.ts';

const settled = async (promise: Promise<unknown>): Promise<boolean> =>
  Promise.race([
    promise.then(
      () => true,
      () => true,
    ),
    new Promise<boolean>((resolve) => setImmediate(() => resolve(false))),
  ]);

describe('createCredits', () => {
  test('a release lets the next waiter in, once', async () => {
    const pool = createCredits(10);
    const a = await pool.acquire(10);
    const b = pool.acquire(6);
    const c = pool.acquire(6);
    assert.equal(await settled(b), false);
    a.release();
    a.release();
    assert.equal((await b).bytes, 6);
    assert.equal(await settled(c), false);
    assert.equal(pool.inUse, 6);
    (await b).release();
    (await c).release();
    assert.equal(pool.inUse, 0);
    assert.equal(pool.peak, 10);
  });

  test('is fair: a small request does not overtake a large one', async () => {
    const pool = createCredits(10);
    const a = await pool.acquire(5);
    const large = pool.acquire(8);
    const small = pool.acquire(1);
    assert.equal(await settled(small), false);
    a.release();
    (await large).release();
    (await small).release();
    assert.equal(pool.inUse, 0);
  });

  test('an aborted waiter leaves, and those behind it go on', async () => {
    const pool = createCredits(10);
    await pool.acquire(5);
    const controller = new AbortController();
    const large = pool.acquire(8, controller.signal);
    const small = pool.acquire(3);
    const refused = assert.rejects(large, (error) => isSoftshardError(error, 'E_ABORTED'));
    controller.abort();
    await refused;
    assert.equal((await small).bytes, 3);
    assert.equal(pool.inUse, 8);
    await assert.rejects(pool.acquire(1, controller.signal), (e) => isSoftshardError(e, 'E_ABORTED'));
    assert.equal(pool.inUse, 8);
  });

  test('a request above the total is an error at once, never a deadlock', async () => {
    const pool = createCredits(10);
    await assert.rejects(pool.acquire(11), (error) => isSoftshardError(error, 'E_CREDITS'));
    assert.throws(
      () => createCredits(0),
      (error) => isSoftshardError(error, 'E_CREDITS'),
    );
    await assert.rejects(pool.acquire(1.5), (error) => isSoftshardError(error, 'E_INTERNAL'));
  });

  test('property: never above the total, everyone is served, all comes back', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ bytes: fc.integer({ min: 0, max: 20 }), abort: fc.boolean() }), {
          maxLength: 40,
        }),
        async (requests) => {
          const pool = createCredits(20);
          const order: number[] = [];
          const work = requests.map(async ({ bytes, abort }, i) => {
            const controller = new AbortController();
            const pending = pool.acquire(bytes, controller.signal);
            if (abort) controller.abort();
            let lease: Lease;
            try {
              lease = await pending;
            } catch {
              return;
            }
            order.push(i);
            assert.ok(pool.inUse <= pool.total);
            await new Promise((resolve) => setImmediate(resolve));
            lease.release();
          });
          await Promise.all(work);
          assert.equal(pool.inUse, 0);
          assert.ok(pool.peak <= pool.total);
          assert.deepEqual(
            order,
            [...order].sort((x, y) => x - y),
          );
          assert.ok(requests.every((request, i) => request.abort || order.includes(i)));
        },
      ),
      { seed: 1, numRuns: 60 },
    );
  });
});

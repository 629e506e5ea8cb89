import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { openCacheForWriting } from '../../src/cache/cache-writer.ts';
import { unitLeases, type Clock } from '../../src/cache/lease.ts';
import { memoryStore } from '../../src/cache/memory-store.ts';
import { shareUnits } from '../../src/cache/share-units.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { contentOf, EXTENT, optionsFor, planOf, targetsOf, writeSynthetic } from './synthetic.ts';

/** A clock that only moves when it is told to, or when somebody sleeps. */
const fakeClock = (): Clock & { advance(ms: number): void } => {
  let now = 0;
  return {
    now: () => now,
    sleep: async (ms) => {
      now += ms;
      return new Promise((resolve) => setImmediate(resolve));
    },
    advance: (ms) => (now += ms),
  };
};

describe('leases of units', () => {
  test('one holder at a time; what is given back is free', async () => {
    const store = memoryStore();
    const clock = fakeClock();
    const [a, b] = ['a', 'b'].map((owner) => unitLeases({ store, clock, owner, expiryMs: 100 }));
    assert.ok(a !== undefined && b !== undefined);
    const lease = await a.acquire(3);
    assert.equal(await b.acquire(3), undefined);
    assert.ok((await b.acquire(4)) !== undefined);
    await lease?.release();
    await lease?.release();
    const second = await b.acquire(3);
    assert.equal(second?.unit, 3);
    assert.equal(await lease?.renew(), false);
    assert.equal(await second.renew(), true);
    await b.clear();
    assert.deepEqual(await store.list(''), []);
  });

  test('a lease that is not renewed expires for who watched it that long, on its own clock', async () => {
    const store = memoryStore();
    const clock = fakeClock();
    const elsewhere = fakeClock();
    elsewhere.advance(1e12); // another machine's clock: never compared
    const a = unitLeases({ store, clock, owner: 'a', expiryMs: 100 });
    const b = unitLeases({ store, clock: elsewhere, owner: 'b', expiryMs: 100 });
    const lease = await a.acquire(0);
    assert.equal(await b.acquire(0), undefined);
    elsewhere.advance(60);
    assert.equal(await lease?.renew(), true);
    elsewhere.advance(60);
    assert.equal(await b.acquire(0), undefined, 'it was renewed');
    elsewhere.advance(99);
    assert.equal(await b.acquire(0), undefined);
    elsewhere.advance(1);
    assert.ok((await b.acquire(0)) !== undefined);
    assert.equal(await lease?.renew(), false, 'it was taken over');
    await lease?.release();
    assert.deepEqual((await store.list('leases/')).length, 1, 'what was lost is not given back');
  });

  test('that of a dead owner is taken over at once, by one of many', async () => {
    const store = memoryStore();
    const clock = fakeClock();
    const make = (owner: string) =>
      unitLeases({ store, clock, owner, expiryMs: 1e9, mayLive: (other) => other !== 'dead' });
    await make('dead').acquire(7);
    const taken = await Promise.all(Array.from({ length: 8 }, async (_, i) => make(`p${i}`).acquire(7)));
    assert.equal(taken.filter((lease) => lease !== undefined).length, 1);
  });

  test('whatever the interleaving, at most one holds a unit', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(2), fc.constantFrom('acquire', 'renew', 'release', 'wait')), {
          maxLength: 40,
        }),
        async (steps) => {
          const store = memoryStore();
          const clock = fakeClock();
          const producers = [0, 1, 2].map((i) => unitLeases({ store, clock, owner: `p${i}`, expiryMs: 100 }));
          const leases = new Map<number, Awaited<ReturnType<(typeof producers)[0]['acquire']>>>();
          for (const [who, what] of steps) {
            if (what === 'wait') clock.advance(40);
            if (what === 'acquire' && leases.get(who) === undefined)
              leases.set(who, await producers[who]?.acquire(0));
            if (what === 'release') {
              await leases.get(who)?.release();
              leases.delete(who);
            }
            if (what === 'renew' && (await leases.get(who)?.renew()) === false) leases.delete(who);
            const names = await store.list('leases/');
            assert.ok(names.length <= 1, names.join());
          }
          const holders = await Promise.all([...leases.values()].map(async (lease) => lease?.renew()));
          assert.ok(holders.filter((holds) => holds === true).length <= 1);
        },
      ),
      { seed: 1, numRuns: 200 },
    );
  });
});

describe('producers that share a cache', () => {
  const reference = async () => {
    const store = memoryStore();
    await writeSynthetic(store);
    return contentOf(store);
  };

  test('each unit is made once, and the bytes are those of one producer', async () => {
    const store = memoryStore();
    const beside = memoryStore();
    const made: number[] = [];
    const produce = async (owner: string) => {
      const writer = await openCacheForWriting({ ...optionsFor(store), shared: true });
      const leases = unitLeases({ store: beside, clock: fakeClock(), owner, expiryMs: 1e9 });
      for await (const unit of shareUnits({ units: planOf(EXTENT).units, writer, leases })) {
        if (writer.committed.has(unit.index)) continue;
        await writer.writeUnit(unit, targetsOf(unit));
        made.push(unit.index);
      }
      assert.equal(writer.committed.size, 6);
      await writer.seal();
      await writer.close();
    };
    await Promise.all(['a', 'b', 'c'].map(produce));
    assert.deepEqual(made.sort(), [0, 1, 2, 3, 4, 5]);
    assert.deepEqual(await contentOf(store), await reference());
    assert.deepEqual(await beside.list(''), []);
  });

  test('wanted units come first', async () => {
    const store = memoryStore();
    const writer = await openCacheForWriting(optionsFor(store));
    const leases = unitLeases({ store: memoryStore(), clock: fakeClock(), owner: 'a', expiryMs: 1e9 });
    const order: number[] = [];
    const wanted = async () => Promise.resolve([4, 2]);
    for await (const unit of shareUnits({ units: planOf(EXTENT).units, writer, leases, wanted })) {
      order.push(unit.index);
      await writer.writeUnit(unit, targetsOf(unit));
    }
    assert.deepEqual(order, [2, 4, 0, 1, 3, 5]);
  });

  test('a unit made twice is committed once; other bytes are refused and change nothing', async () => {
    const store = memoryStore();
    const [a, b, c] = await Promise.all(
      [0, 1, 2].map(async () => openCacheForWriting({ ...optionsFor(store), shared: true })),
    );
    const unit = planOf(EXTENT).units[1];
    assert.ok(a !== undefined && b !== undefined && c !== undefined && unit !== undefined);
    await Promise.all([a, b].map(async (writer) => writer.writeUnit(unit, targetsOf(unit))));
    const before = await contentOf(store);
    await assert.rejects(c.writeUnit(unit, targetsOf(unit, 2)), (error) =>
      isSoftshardError(error, 'E_REPLAY_MISMATCH'),
    );
    assert.deepEqual(await contentOf(store), before);
    assert.equal(await c.isCommitted(1), true);
    assert.equal(await c.isCommitted(0), false);
  });
});

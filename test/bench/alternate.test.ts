import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { z } from 'zod';
import { alternate, median, ratioOf, type Contestant } from '../../bench/alternate.ts';
import { startWorker } from '../../bench/worker.ts';

/** A worker whose iterations take what `msOf` says of each block, the warm-up being block 0. */
const stub = (name: string, log: string[], msOf: (block: number) => number): Contestant => {
  let block = 0;
  return {
    name,
    open: { mode: 'step' },
    start: () => ({
      ask: <T>(command: object, schema: z.ZodType<T>): Promise<T> => {
        const { op, iterations = 0 } = command as { op: string; iterations?: number };
        log.push(`${name} ${op} ${iterations}`);
        const ran = {
          ms: new Array<number>(iterations).fill(msOf(block)),
          values: [1],
          cpuMs: iterations,
          peakMb: block,
        };
        if (op === 'run') block++;
        const opened = { library: name, threads: 1, parameters: 3, baseMb: null };
        return Promise.resolve(schema.parse(op === 'open' ? opened : ran));
      },
      end: () => {
        log.push(`${name} end`);
        return Promise.resolve();
      },
    }),
  };
};

describe('alternating blocks', () => {
  test('take turns, and the ratio is the median over the rounds', async () => {
    const log: string[] = [];
    const [a, b] = await alternate(
      [stub('a', log, (block) => [10, 10, 20, 90][block] ?? 0), stub('b', log, () => 5)],
      { rounds: 3, blockMs: 40, warmUp: 2 },
    );
    assert.deepEqual(log, [
      ...['a open 0', 'a run 2', 'b open 0', 'b run 2'],
      ...['a run 4', 'b run 8', 'a run 4', 'b run 8', 'a run 4', 'b run 8'],
      ...['a end', 'b end'],
    ]);
    assert.ok(a !== undefined && b !== undefined);
    assert.deepEqual(a.blocks, [10, 20, 90]);
    assert.equal(a.ms, 20);
    assert.equal(a.cpuMs, 1);
    assert.equal(a.peakMb, 3);
    assert.equal(ratioOf(a, b), 4);
  });

  test('end every program when one fails, with what it printed', async () => {
    const log: string[] = [];
    const failing: Contestant = {
      name: 'failing',
      open: {},
      start: () =>
        startWorker(
          process.execPath,
          ['-e', 'console.error("no such engine"); process.exit(3)'],
          process.env,
        ),
    };
    await assert.rejects(
      alternate([stub('a', log, () => 1), failing], { rounds: 1, blockMs: 1, warmUp: 1 }),
      /no such engine/,
    );
    assert.equal(log.at(-1), 'a end');
  });

  test('medians', () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 2, 3]), 2.5);
  });
});

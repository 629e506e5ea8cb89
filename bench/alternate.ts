/** Times several programs at the same work, in alternating blocks: what else the machine does meets all alike. */
import { z } from 'zod';
import type { Worker } from './worker.ts';

export const openedSchema = z.object({
  library: z.string(),
  threads: z.int(),
  parameters: z.int(),
  baseMb: z.number().nullable(),
});
const ranSchema = z.object({
  /** Of each iteration. */
  ms: z.array(z.number()).min(1),
  values: z.array(z.number()),
  /** CPU time of the process, all threads, over the whole block. */
  cpuMs: z.number(),
  peakMb: z.number().nullable(),
});

export interface Contestant {
  readonly name: string;
  readonly start: () => Worker;
  /** The command that names its work. */
  readonly open: object;
}

export interface Timed extends z.infer<typeof openedSchema> {
  readonly name: string;
  /** Median of each block, ms. */
  readonly blocks: readonly number[];
  /** Median of the blocks' medians, ms. */
  readonly ms: number;
  /** CPU time of an iteration, all threads, ms: median of the blocks' means. */
  readonly cpuMs: number;
  /** What its first iterations returned: equal work gives equal numbers. */
  readonly values: readonly number[];
  /** Peak resident memory of its process, MB; null where the system does not tell. */
  readonly peakMb: number | null;
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number): number => sorted[Math.floor(index)] ?? Number.NaN;
  return (at((sorted.length - 1) / 2) + at(sorted.length / 2)) / 2;
};

/** Median over the rounds of a's time divided by b's. */
export const ratioOf = (a: Timed, b: Timed): number =>
  median(a.blocks.map((ms, round) => ms / (b.blocks[round] ?? Number.NaN)));

export interface AlternateOptions {
  readonly rounds: number;
  /** A block lasts about as long, ms, and has at least two iterations. */
  readonly blockMs: number;
  /** First iterations, which are not timed. */
  readonly warmUp: number;
}

interface Entry {
  readonly name: string;
  readonly worker: Worker;
  readonly opened: z.infer<typeof openedSchema>;
  readonly iterations: number;
  readonly values: readonly number[];
  readonly blocks: number[];
  readonly cpu: number[];
  peakMb: number | null;
}

/** Runs the contestants in turns, each in a process of its own that lives from the first round to the last. */
export const alternate = async (
  contestants: readonly Contestant[],
  { rounds, blockMs, warmUp }: AlternateOptions,
): Promise<Timed[]> => {
  const workers: Worker[] = [];
  // On a machine that others use too an iteration can take far longer: the block ends early then.
  const budgetMs = 4 * blockMs;
  try {
    const field: Entry[] = [];
    for (const { name, start, open } of contestants) {
      const worker = start();
      workers.push(worker);
      const opened = await worker.ask({ ...open, op: 'open' }, openedSchema);
      const { ms, values, peakMb } = await worker.ask({ op: 'run', iterations: warmUp, budgetMs }, ranSchema);
      const iterations = Math.max(2, Math.min(200, Math.round(blockMs / Math.min(...ms))));
      field.push({ name, worker, opened, iterations, values, blocks: [], cpu: [], peakMb });
    }
    for (let round = 0; round < rounds; round++)
      for (const entry of field) {
        const { worker, iterations } = entry;
        const { ms, cpuMs, peakMb } = await worker.ask({ op: 'run', iterations, budgetMs }, ranSchema);
        entry.blocks.push(median(ms));
        entry.cpu.push(cpuMs / ms.length);
        entry.peakMb = peakMb;
      }
    return field.map(({ name, opened, blocks, cpu, values, peakMb }) => ({
      ...opened,
      ...{ name, blocks, ms: median(blocks), cpuMs: median(cpu), values, peakMb },
    }));
  } finally {
    for (const worker of workers) await worker.end();
  }
};

/** Script: makes views from their records in one thread; `view_peer.py` does the same with OpenCV, on the same commands. */
import { createInterface } from 'node:readline';
import sharp from 'sharp';
import { z } from 'zod';
import { createDecodeRunner, imagesOf, type DecodeJob } from '../src/augment/decode-job.ts';
import { decodeView } from '../src/augment/view-codec.ts';

const commandSchema = z.union([
  z.object({
    op: z.literal('open'),
    records: z.array(z.unknown()),
    files: z.record(z.string(), z.string()),
    sizes: z.record(z.string(), z.tuple([z.int(), z.int()])),
  }),
  z.object({ op: z.literal('run'), iterations: z.int().min(1), budgetMs: z.number() }),
]);

sharp.concurrency(1);
const runner = createDecodeRunner();
let jobs: readonly DecodeJob[] = [];
let at = 0;

const mean = (bytes: Uint8Array): number => bytes.reduce((sum, byte) => sum + byte, 0) / bytes.length;

for await (const line of createInterface({ input: process.stdin })) {
  const command = commandSchema.parse(JSON.parse(line));
  let answer: object = { library: 'sharp and WebAssembly', threads: 1, parameters: 0, baseMb: null };
  if (command.op === 'open') {
    at = 0;
    jobs = command.records.map((stored) => {
      const record = decodeView(stored);
      const sources = [...new Set(imagesOf(record).map(({ sample }) => sample))].map((index) => {
        const [width = 0, height = 0] = command.sizes[index] ?? [];
        return { index, file: command.files[index] ?? '', width, height, labels: [], digest: '' };
      });
      const slot = new SharedArrayBuffer(record.width * record.height * 3);
      return { record, sources, loaded: [], room: 0, slot };
    });
  } else {
    const ms: number[] = [];
    const values: number[] = [];
    let cpuMs = 0;
    const started = performance.now();
    for (let i = 0; i < command.iterations; i++, at++) {
      if (i > 0 && performance.now() - started > command.budgetMs) break;
      const job = jobs[at % jobs.length];
      if (job === undefined) throw new Error('run before open');
      const before = process.cpuUsage();
      const begin = performance.now();
      await runner(job);
      ms.push(performance.now() - begin);
      const { user, system } = process.cpuUsage(before);
      cpuMs += (user + system) / 1000;
      values.push(mean(new Uint8Array(job.slot)));
    }
    answer = { ms, values, cpuMs, peakMb: null };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

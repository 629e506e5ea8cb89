/**
 * Script: answers one JSON command a line on standard input, so that its blocks of work alternate with another
 * program's. `open` names the work, `run` repeats it; `peer.py --serve` speaks the same.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { ENGINE_NAMES, openEngine } from '../src/engine/select.ts';
import { buildGraph } from '../src/model/graph.ts';
import { readModelYaml } from '../src/model/model-yaml.ts';
import { readSafetensors } from '../src/weights/safetensors.ts';
import { builtInOps, rememberBuiltInKernels } from './built-in-ops.ts';
import { createWorkload } from './workload.ts';

const openSchema = z.object({
  op: z.literal('open'),
  engine: z.enum(ENGINE_NAMES),
  /** Ours, or those of TensorFlow.js where it has them. */
  kernels: z.enum(['own', 'built-in']),
  mode: z.enum(['step', 'forward', 'input-gradient']),
  config: z.string(),
  weights: z.string(),
  batch: z.int(),
  size: z.int(),
  labels: z.array(z.array(z.number())),
  gains: z.object({ box: z.number(), obj: z.number(), cls: z.number() }),
  learningRate: z.number(),
  weightDecay: z.number(),
});
const commandSchema = z.union([
  openSchema,
  z.object({ op: z.literal('run'), iterations: z.int().min(1), budgetMs: z.number() }),
]);

/** A field of this process's status in MB; null where the system has none. */
const memoryMb = (field: string): number | null => {
  try {
    const kilobytes = new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) / 1024;
  } catch {
    return null;
  }
};

let run: (() => number) | undefined;

const open = async (command: z.infer<typeof openSchema>): Promise<object> => {
  const restore = rememberBuiltInKernels();
  const { engine } = await openEngine(command.engine);
  const builtIn = command.kernels === 'built-in';
  if (builtIn) restore();
  const baseMb = memoryMb('VmRSS');
  const graph = buildGraph(readModelYaml(command.config));
  const { state } = await readSafetensors(command.weights);
  run = createWorkload(graph, state, builtIn ? builtInOps : engine.ops, command);
  return {
    library:
      engine.info.tensorflow === undefined
        ? `TensorFlow.js ${engine.info.tfjs}`
        : `TensorFlow ${engine.info.tensorflow}`,
    threads: engine.info.threads,
    parameters: graph.entries
      .filter(({ role }) => role === 'weight' || role === 'bias' || role === 'gamma')
      .reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
    baseMb,
  };
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = commandSchema.parse(JSON.parse(line));
  let answer: object;
  if (command.op === 'open') answer = await open(command);
  else {
    if (run === undefined) throw new Error('run before open');
    const ms: number[] = [];
    const values: number[] = [];
    const before = process.cpuUsage();
    const started = performance.now();
    for (let i = 0; i < command.iterations; i++) {
      if (i > 0 && performance.now() - started > command.budgetMs) break;
      const begin = performance.now();
      values.push(run());
      ms.push(performance.now() - begin);
    }
    const { user, system } = process.cpuUsage(before);
    answer = { ms, values, cpuMs: (user + system) / 1000, peakMb: memoryMb('VmHWM') };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

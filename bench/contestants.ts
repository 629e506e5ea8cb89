/** The programs whose work is timed, and the command that names the work to them. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { scriptCommand } from '../src/flow/script-path.ts';
import { stepEnvironment, type Environment } from '../src/flow/step-environment.ts';
import { scaleGains } from '../src/loss/scale-gains.ts';
import { buildGraph } from '../src/model/graph.ts';
import { readModelYaml } from '../src/model/model-yaml.ts';
import type { Contestant } from './alternate.ts';
import { randomTeacher } from './random-teacher.ts';
import { startWorker } from './worker.ts';
import { exampleLabels } from './workload.ts';

export interface Work {
  readonly mode: 'step' | 'forward' | 'input-gradient';
  /** A built-in model description. */
  readonly config: string;
  readonly batch: number;
  /** Side of the images, pixels. */
  readonly size: number;
}

/** Names some work to a program; `weights` is the file it starts from. */
export type OpenCommand = Work & { readonly weights: string };

/** The command `open` of some work; its weights are written into `folder`. */
export const openCommand = async (folder: string, work: Work): Promise<OpenCommand> => {
  const yaml = readModelYaml(work.config);
  const { nc, strides } = buildGraph(yaml).head;
  const command = {
    ...work,
    weights: await randomTeacher(folder, work.config),
    ...{ width: yaml.width_multiple, depth: yaml.depth_multiple, classes: nc },
    labels: exampleLabels(work.batch, nc),
    gains: scaleGains({ box: 0.05, obj: 1, cls: 0.5 }, { nc, levels: strides.length, imgsz: work.size }),
    learningRate: 0.01,
    weightDecay: 5e-4,
  };
  return command;
};

/** The environment of every program that gets ours. */
export const engineEnvironment = (): Environment =>
  stepEnvironment(process.env, { threads: availableParallelism(), isa: 'default' });

/** One of our engines; with `built-in`, TensorFlow.js's own operations on it. */
export const own = (engine: 'native' | 'wasm', kernels: 'own' | 'built-in', open: object): Contestant => {
  const { file, nodeArguments } = scriptCommand('bench/engine-worker');
  return {
    name: kernels === 'own' ? `softshard ${engine}` : `tfjs ${engine}`,
    start: () => startWorker(process.execPath, [...nodeArguments, file], engineEnvironment()),
    open: { ...open, engine, kernels },
  };
};

/** PyTorch as it comes, and with the memory layout and the allocator settings that we use. */
export const peers = (python: string, open: object): Contestant[] =>
  (['plain', 'tuned'] as const).map((name) => ({
    name: `pytorch ${name}`,
    start: () =>
      startWorker(
        python,
        [join(import.meta.dirname, 'peer.py'), '--serve'],
        name === 'plain' ? process.env : engineEnvironment(),
      ),
    open: { ...open, layout: name === 'plain' ? 'nchw' : 'nhwc', threads: availableParallelism() },
  }));

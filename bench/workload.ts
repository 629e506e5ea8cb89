/** What the engine benchmark repeats: a training step on labels, a forward pass with folded batch norm, or gradients. */
import * as tf from '@tensorflow/tfjs-core';
import type { EngineOps } from '../src/engine/engine.ts';
import { createHardLoss } from '../src/loss/hard-loss.ts';
import type { LossContext, LossTarget } from '../src/loss/loss.ts';
import { totalLoss } from '../src/loss/total.ts';
import { createInference } from '../src/model/inference.ts';
import type { ModelGraph } from '../src/model/graph.ts';
import type { StateDict } from '../src/model/tensor-data.ts';
import { UPDATE_RULES } from '../src/optim/update-rule.ts';
import { trainStep } from '../src/train/train-step.ts';
import { startTraining } from '../src/train/training-state.ts';
import { convolutionGradients } from './convolution-gradients.ts';

export interface WorkloadOptions {
  readonly mode: 'step' | 'forward' | 'input-gradient';
  readonly batch: number;
  /** Side of the images, pixels. */
  readonly size: number;
  /** Rows (image, class, cx, cy, w, h). */
  readonly labels: readonly (readonly number[])[];
  readonly gains: LossContext['gains'];
  readonly learningRate: number;
  readonly weightDecay: number;
}

/** Images [B,S,S,3] by a formula: the other program computes the same. */
const picture = (batch: number, size: number): tf.Tensor4D => {
  const values = new Float32Array(batch * size * size * 3);
  let at = 0;
  for (let b = 0; b < batch; b++)
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++)
        for (let c = 0; c < 3; c++) values[at++] = ((13 * b + 31 * c + 17 * y + 7 * x) % 256) / 255;
  return tf.keep(tf.tensor4d(values, [batch, size, size, 3]));
};

/** Rows by a formula, six an image. */
export const exampleLabels = (batch: number, classes: number): number[][] =>
  Array.from({ length: batch * 6 }, (_, i) => {
    const b = Math.floor(i / 6);
    const k = i % 6;
    return [
      b,
      (7 * b + 11 * k) % classes,
      0.1 + (0.8 * ((37 * b + 53 * k + 11) % 97)) / 97,
      0.1 + (0.8 * ((59 * b + 29 * k + 5) % 89)) / 89,
      0.05 + (0.4 * ((17 * b + 41 * k + 3) % 31)) / 31,
      0.05 + (0.4 * ((23 * b + 13 * k + 7) % 29)) / 29,
    ];
  });

/** Prepares the work; each call of the result does it once and returns a number of its result. */
export function createWorkload(
  graph: ModelGraph,
  state: StateDict,
  ops: EngineOps,
  options: WorkloadOptions,
): () => number {
  const x = picture(options.batch, options.size);
  if (options.mode === 'input-gradient') return convolutionGradients(graph, state, ops, x);
  if (options.mode === 'forward') {
    const model = createInference(graph, state, ops);
    return () => {
      const { heads } = model.forward(x);
      const [value = Number.NaN] = heads[0]?.dataSync<'float32'>() ?? [];
      tf.dispose([...heads]);
      return value;
    };
  }
  const rule = UPDATE_RULES.sgd;
  const training = startTraining(graph, state, rule, { declared: [], values: new Map() });
  const target: LossTarget = {
    labels: Float32Array.from(options.labels.flat()),
    labelled: new Array<boolean>(options.batch).fill(true),
  };
  const context: LossContext = {
    ops,
    head: graph.head,
    gains: options.gains,
    adapt: (_, feature) => feature,
  };
  const hard = createHardLoss();
  const { learningRate, weightDecay } = options;
  return () =>
    trainStep(training, x, {
      ops,
      rule,
      settings: { accumulate: 1, biasLearningRate: learningRate, learningRate, momentum: 0.937 },
      weightDecay,
      clipNorm: 10,
      features: [],
      loss: (forward) =>
        totalLoss({
          hard: hard(forward, target, context),
          weights: { hard: 1, output: 0, hints: {} },
          batch: options.batch,
          labelledCount: options.batch,
        }),
    }).logged['total'] ?? Number.NaN;
}

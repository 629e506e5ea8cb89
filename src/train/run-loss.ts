/** The loss of a run: hard, output and hint terms by its options, on one footing. */
import type * as tf from '@tensorflow/tfjs-core';
import type { EngineOps } from '../engine/engine.ts';
import { createHintLoss } from '../loss/hint.ts';
import type { LossTarget } from '../loss/loss.ts';
import { createOutputLoss } from '../loss/output.ts';
import { pseudoLabelOptions, pseudoLabels } from '../loss/pseudo-labels.ts';
import { lossWeights, totalLoss } from '../loss/total.ts';
import type { Forward } from '../model/detector.ts';
import { drawnAdapters } from './adapters.ts';
import type { HostBatch } from './batch.ts';
import { createClassifierLoss } from './classifier-loss.ts';
import { classifierOf } from './classifier-options.ts';
import { hintChannels } from './hint-channels.ts';
import type { PreparedRun } from './prepare-run.ts';
import { runHardLoss } from './run-hard-loss.ts';
import { runLossContext } from './run-loss-context.ts';
import type { StepLoss } from './train-step.ts';

export interface RunLoss {
  /** Student layers whose outputs it reads. */
  readonly features: readonly number[];
  /** The teacher's detections in a batch, where the loss learns from them. */
  readonly detections: ((batch: HostBatch) => Float32Array) | undefined;
  /** The loss of a forward pass in `epoch` and `iteration` (0-based), inside a tidy. */
  of(
    forward: Forward,
    values: ReadonlyMap<string, tf.Tensor>,
    target: LossTarget,
    at: { readonly epoch: number; readonly iteration: number },
  ): StepLoss;
}

export function createRunLoss(run: PreparedRun, ops: EngineOps): RunLoss {
  const classifier = classifierOf(run);
  if (classifier !== undefined) return createClassifierLoss(run, classifier, ops);
  const { options, graph, distillation } = run;
  const { head } = graph;
  const channels = hintChannels(run);
  const { hard } = runHardLoss(run);
  const output = createOutputLoss(distillation.output);
  const hints = distillation.hints.length > 0 ? createHintLoss(distillation.hints) : undefined;

  const drawn = (iteration: number): Map<string, tf.Tensor> =>
    drawnAdapters(distillation.hints, channels, { seed: options.seed, iteration });

  return {
    features: [...new Set(distillation.hints.map((hint) => hint.student))],
    detections:
      distillation.output.kind === 'pseudo'
        ? ({ heads, size }) => pseudoLabels(heads, size, head, pseudoLabelOptions(distillation.output))
        : undefined,
    of: (forward, values, target, { epoch, iteration }) => {
      const context = runLossContext(run, new Map([...values, ...drawn(iteration)]), ops, iteration);
      return totalLoss({
        hard: hard(forward, target, context),
        ...(output === undefined ? {} : { output: output(forward, target, context) }),
        ...(hints === undefined ? {} : { hints: hints(forward, target, context) }),
        weights: lossWeights(distillation, epoch, options.epochs),
        batch: target.labelled.length,
        labelledCount: target.labelled.filter(Boolean).length,
      });
    },
  };
}

import type * as tf from '@tensorflow/tfjs-core';
import type { EngineOps } from '../engine/engine.ts';
import type { LossContext } from '../loss/loss.ts';
import { adapterKey, applyAdapter } from './adapters.ts';
import type { PreparedRun } from './prepare-run.ts';
import { runHardLoss } from './run-hard-loss.ts';

/** What the losses of a run are told beside student and target; `values` are all trainable ones, adapters included. */
export const runLossContext = (
  run: Pick<PreparedRun, 'options' | 'graph' | 'hyp'>,
  values: ReadonlyMap<string, tf.Tensor>,
  ops: EngineOps,
  iteration: number,
): LossContext => ({
  ops,
  head: run.graph.head,
  gains: runHardLoss(run).gains,
  adapt: applyAdapter(values, ops),
  parameter: (pair, part) => values.get(adapterKey(pair, part)),
  draw: { seed: run.options.seed, iteration },
});

/** One batch of a run on the engine: to the device, forward, loss, gradient, update. */
import type { EngineOps } from '../engine/engine.ts';
import { effectiveDecay, iterationSettings, type ScheduleOptions } from '../optim/schedule.ts';
import type { UpdateRule } from '../optim/update-rule.ts';
import { toDevice, type HostBatch } from './batch.ts';
import { resizeBatch, scaledSide } from './multi-scale.ts';
import type { PreparedRun } from './prepare-run.ts';
import { createRunLoss } from './run-loss.ts';
import { trainStep, type StepResult } from './train-step.ts';
import type { TrainingState } from './training-state.ts';

export interface RunStepOptions {
  readonly run: PreparedRun;
  readonly state: TrainingState;
  readonly rule: UpdateRule;
  readonly schedule: ScheduleOptions;
  readonly ops: EngineOps;
}

/** Returns the function that trains `state` on a batch of `epoch` (0-based). It throws E_DIVERGED. */
export function createRunStep(step: RunStepOptions): (batch: HostBatch, epoch: number) => StepResult {
  const { run, state, rule, schedule, ops } = step;
  const { hyp, options } = run;
  const loss = createRunLoss(run, ops);
  const stride = Math.max(32, ...run.graph.head.strides);
  const scale = options.multiScale ? { imageSize: options.imgsz, stride, seed: options.seed } : undefined;
  return (batch, epoch) => {
    const device = toDevice(batch, loss.detections);
    const { iteration } = state.counters;
    const x =
      scale === undefined ? device.x : resizeBatch(device.x, scaledSide(scale, iteration), scale.stride);
    try {
      return trainStep(state, x, {
        ops,
        rule,
        settings: iterationSettings(schedule, iteration, epoch),
        weightDecay: effectiveDecay(hyp.weight_decay, schedule),
        clipNorm: options.clipNorm > 0 ? options.clipNorm : undefined,
        features: loss.features,
        loss: (forward, values) => loss.of(forward, values, device.target, { epoch, iteration }),
      });
    } finally {
      if (x !== device.x) x.dispose();
      device.dispose();
    }
  };
}

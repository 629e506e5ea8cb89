/** The order and the learning-rate schedule that the options of a run ask for. */
import type { ScheduleOptions } from '../optim/schedule.ts';
import type { PreparedRun } from './prepare-run.ts';
import type { EpochOptions } from './sample-order.ts';

/** In which order a run sees its views: in units as they lie in the cache, where there is one. */
export const runOrder = ({ participants, cache, options, share }: PreparedRun): EpochOptions => ({
  samples: participants.length,
  unitViews: cache?.teacher.unitViews ?? options.unitViews,
  shuffleViews: options.shuffleViews,
  seed: options.seed,
  batchSize: options.batchSize,
  stepsPerEpoch: options.stepsPerEpoch,
  share,
});

/** The schedule of a run with so many batches an epoch. */
export const runSchedule = ({ options, hyp }: PreparedRun, batchesPerEpoch: number): ScheduleOptions => ({
  epochs: options.epochs,
  batchesPerEpoch,
  batchSize: options.batchSize,
  nominalBatch: options.nominalBatch,
  lr0: hyp.lr0,
  lrf: hyp.lrf,
  momentum: hyp.momentum,
  warmupEpochs: hyp.warmup_epochs,
  warmupMomentum: hyp.warmup_momentum,
  warmupBiasLr: hyp.warmup_bias_lr,
  warmupMinimum: options.warmupIterations,
  decay: options.cosLr ? 'cosine' : 'linear',
});

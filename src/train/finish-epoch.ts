/** The end of an epoch: its row of results.csv, its weights, and whether it was the best or the last. */
import type { Engine } from '../engine/engine.ts';
import { fitness } from '../metric/fitness.ts';
import type { IterationSettings } from '../optim/schedule.ts';
import { averagedState, writeWeights } from './averaged-weights.ts';
import type { Progress } from './checkpoint.ts';
import { measure, type Measurement } from './measure.ts';
import type { PreparedRun } from './prepare-run.ts';
import type { runFiles } from './run-files.ts';
import type { TrainingState } from './training-state.ts';

export interface FinishedEpoch {
  readonly run: PreparedRun;
  readonly engine: Engine;
  readonly state: TrainingState;
  readonly files: ReturnType<typeof runFiles>;
  /** Batches an epoch. */
  readonly perEpoch: number;
  /** Of the epoch's last batch. */
  readonly settings: Pick<IterationSettings, 'learningRate' | 'biasLearningRate'>;
  readonly signal: AbortSignal;
  readonly onMeasured: (measurement: Measurement) => void;
}

/**
 * Measures where it is due, writes the averaged weights (last, and best where they are), and moves `progress` on to
 * the next epoch. Returns the row. Rejects as `measure` does, `progress` then being as it was.
 */
export async function finishEpoch(progress: Progress, epoch: FinishedEpoch): Promise<Record<string, number>> {
  const { run, engine, state, files, perEpoch, settings, signal, onMeasured } = epoch;
  const { epochs, valEvery, patience } = run.options;
  const averaged = await averagedState(state);
  const isLast = progress.epoch + 1 === epochs;
  const isMeasured = run.validation !== undefined && ((progress.epoch + 1) % valEvery === 0 || isLast);
  const measurement = isMeasured ? await measure(run, engine, averaged, signal) : undefined;
  const measured = measurement?.row;
  if (measurement !== undefined) onMeasured(measurement);
  const row: Record<string, number> = {
    epoch: progress.epoch,
    ...Object.fromEntries(
      Object.entries(progress.sums).map(([name, sum]) => [`train/${name}`, sum / perEpoch]),
    ),
    lr: settings.learningRate,
    lr_bias: settings.biasLearningRate,
    ...measured,
  };
  const score =
    measured === undefined
      ? undefined
      : (measured['metrics/accuracy'] ??
        fitness({ mAP50: measured['metrics/mAP50'] ?? 0, mAP50_95: measured['metrics/mAP50_95'] ?? 0 }));
  // Without validation the last epoch counts as the best.
  const isBest = score === undefined ? run.validation === undefined : score >= progress.bestFitness;
  if (isBest) {
    progress.bestFitness = score ?? -1;
    progress.bestEpoch = progress.epoch;
    await writeWeights(files.best, run, averaged);
  }
  await writeWeights(files.last, run, averaged);
  if (measurement !== undefined) progress.maps = [...measurement.maps];
  progress.rows.push(row);
  const isStale = patience > 0 && progress.epoch - progress.bestEpoch >= patience;
  progress.epoch += 1;
  progress.batch = 0;
  progress.sums = {};
  progress.finished = isLast || (score !== undefined && isStale);
  return row;
}

/** The epochs of a run: batches in, steps, measurements, checkpoints; resumable at any batch. */
import { appendFile } from 'node:fs/promises';
import type { KeptImages } from '../augment/image-cache-options.ts';
import type { Engine } from '../engine/engine.ts';
import { SoftshardError } from '../errors.ts';
import type { StepContext } from '../flow/step-command.ts';
import { evaluationTable } from '../evaluate/evaluation-text.ts';
import { iterationSettings } from '../optim/schedule.ts';
import { UPDATE_RULES } from '../optim/update-rule.ts';
import { createAdapters } from './adapters.ts';
import { freshProgress, readCheckpoint, writeCheckpoint, type Progress } from './checkpoint.ts';
import { openEventFile } from './event-file.ts';
import { finishEpoch } from './finish-epoch.ts';
import type { PreparedRun } from './prepare-run.ts';
import { writeResults } from './results-csv.ts';
import { hintChannels } from './hint-channels.ts';
import { openRunBatches } from './run-batches.ts';
import { runFiles } from './run-files.ts';
import { runSchedule } from './run-schedule.ts';
import { createRunStep } from './run-step.ts';
import { batchEvent } from './batch-event.ts';
import { trainEpoch, type EpochPace } from './train-epoch.ts';
import { disposeState, startTraining } from './training-state.ts';

export interface TrainLoopOptions {
  readonly run: PreparedRun;
  readonly engine: Engine;
  readonly folder: string;
  /** Go on from the folder's checkpoint. */
  readonly resume: boolean;
  /** Decoded images that are kept. */
  readonly images: KeptImages;
}

/** Trains until the last epoch is done and returns the final progress. Rejects with E_ABORTED after a checkpoint. */
export async function trainLoop(loop: TrainLoopOptions, context: StepContext): Promise<Progress> {
  const { run, engine, folder } = loop;
  const { options, graph, distillation } = run;
  const { signal } = context;
  const files = runFiles(folder);
  const rule = UPDATE_RULES[options.optimizer];
  const adapters = createAdapters(distillation.hints, hintChannels(run), options.seed);
  const state = startTraining(graph, run.initial, rule, adapters, run.frozen);
  const progress = loop.resume ? await readCheckpoint(files.checkpoint, state) : freshProgress();
  // A run that was finished and is asked for more epochs goes on.
  if (progress.epoch < options.epochs) progress.finished = false;

  const batches = openRunBatches(run, loop.images, signal);
  const { perEpoch } = batches;
  const schedule = runSchedule(run, perEpoch);
  const step = createRunStep({ run, state, rule, schedule, ops: engine.ops });
  let lastSave = performance.now();
  const save = async (): Promise<void> => {
    Object.assign(progress, state.counters);
    await writeCheckpoint(files.checkpoint, state, progress);
    lastSave = performance.now();
  };
  const events = await openEventFile(files.events, progress.rows, () => Date.now() / 1000);
  const writeRows = async (): Promise<void> => {
    await writeResults(files.results, progress.rows);
    await events.append(progress.rows);
  };
  const onBatch = async (pace: EpochPace): Promise<void> => {
    context.emit(
      batchEvent(progress, { perEpoch, epochs: options.epochs, batchSize: options.batchSize }, pace),
    );
    if (performance.now() - lastSave > options.checkpointMinutes * 60_000) await save();
  };

  try {
    while (progress.epoch < options.epochs && !progress.finished) {
      const begin = performance.now();
      const { epoch } = progress;
      const { dataWait, rate } = await trainEpoch(progress, {
        batches: batches.rest(epoch, progress.batch, progress.maps),
        step: (batch) => step(batch, epoch),
        onBatch,
        signal,
      });
      const settings = iterationSettings(schedule, state.counters.iteration - 1, epoch);
      const row = await finishEpoch(progress, {
        ...{ run, engine, state, files, perEpoch, settings, signal },
        onMeasured: ({ result }) => {
          if (options.perClass && result !== undefined)
            context.info(`epoch ${epoch + 1}, a class:\n${evaluationTable(result)}`);
        },
      });
      await save();
      await writeRows();
      const seconds = (performance.now() - begin) / 1000;
      await appendFile(
        files.rates,
        `${epoch},${seconds.toFixed(3)},${rate.toFixed(3)},${dataWait.toFixed(4)}\n`,
      );
      const etaS = (options.epochs - progress.epoch) * seconds;
      context.emit({ type: 'epoch', epoch, total: options.epochs, metrics: row, rate, dataWait, etaS });
    }
    await writeRows();
    return progress;
  } catch (error) {
    if (!signal.aborted) throw error;
    await save();
    throw new SoftshardError('E_ABORTED', {
      message: `Training stopped in epoch ${progress.epoch}, batch ${progress.batch}; the checkpoint is written.`,
      cause: error,
    });
  } finally {
    await batches.close();
    disposeState(state);
  }
}

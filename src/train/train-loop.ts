/** The epochs of a run: batches in, steps, measurements, checkpoints; resumable at any batch. */
import { appendFile } from 'node:fs/promises';
import { setImmediate as yieldToEvents } from 'node:timers/promises';
import { concatMap, lastValueFrom } from 'rxjs';
import { createViewDecoder } from '../augment/view-decoder.ts';
import type { Engine } from '../engine/engine.ts';
import { SoftshardError } from '../errors.ts';
import { createCredits } from '../flow/credits.ts';
import { orderedPrefetch } from '../flow/ordered-prefetch.ts';
import type { StepContext } from '../flow/step-command.ts';
import { fitness } from '../metric/fitness.ts';
import { effectiveDecay, iterationSettings, type ScheduleOptions } from '../optim/schedule.ts';
import { UPDATE_RULES } from '../optim/update-rule.ts';
import { createAdapters } from './adapters.ts';
import { averagedState, writeWeights } from './averaged-weights.ts';
import { toDevice, type HostBatch } from './batch.ts';
import { batchBytes, createBatchLoader } from './batch-loader.ts';
import { freshProgress, readCheckpoint, writeCheckpoint, type Progress } from './checkpoint.ts';
import { openEventFile } from './event-file.ts';
import { measure } from './measure.ts';
import type { PreparedRun } from './prepare-run.ts';
import { writeResults } from './results-csv.ts';
import { runFiles } from './run-files.ts';
import { createRunLoss } from './run-loss.ts';
import { batchesPerEpoch, createBatches, type EpochOptions } from './sample-order.ts';
import { trainStep, type StepResult } from './train-step.ts';
import { disposeState, startTraining } from './training-state.ts';
import { teacherValues, viewSource } from './view-source.ts';

/** Batches loaded ahead of the one that trains. */
const AHEAD = 2;

export interface TrainLoopOptions {
  readonly run: PreparedRun;
  readonly engine: Engine;
  readonly folder: string;
  /** Go on from the folder's checkpoint. */
  readonly resume: boolean;
  /** Memory for decoded images. */
  readonly imageCacheBytes: number;
}

/** Trains until the last epoch is done and returns the final progress. Rejects with E_ABORTED after a checkpoint. */
export async function trainLoop(loop: TrainLoopOptions, context: StepContext): Promise<Progress> {
  const { run, engine, folder } = loop;
  const { options, graph, hyp, distillation, cache } = run;
  const files = runFiles(folder);
  const rule = UPDATE_RULES[options.optimizer];
  const adapters = createAdapters(
    distillation.hints,
    (layer) => graph.layers[layer]?.module.outChannels ?? 0,
    (layer) => cache?.teacher.layerChannels[layer] ?? 0,
    options.seed,
  );
  const state = startTraining(graph, run.initial, rule, adapters);
  const progress = loop.resume ? await readCheckpoint(files.checkpoint, state) : freshProgress();
  // A run that was finished and is asked for more epochs goes on.
  if (progress.epoch < options.epochs) progress.finished = false;

  const order: EpochOptions = {
    samples: run.participants.length,
    unitViews: cache?.teacher.unitViews ?? options.unitViews,
    shuffleViews: options.shuffleViews,
    seed: options.seed,
    batchSize: options.batchSize,
    stepsPerEpoch: options.stepsPerEpoch,
    share: run.share,
  };
  const perEpoch = batchesPerEpoch(order);
  const batches = createBatches(order);
  const source = viewSource(run);
  const schedule: ScheduleOptions = {
    epochs: options.epochs,
    batchesPerEpoch: perEpoch,
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
  };
  const loss = createRunLoss(run, engine.ops);

  const step = (batch: HostBatch): StepResult => {
    const device = toDevice(batch, loss.detections);
    try {
      return trainStep(state, device.x, {
        ops: engine.ops,
        rule,
        settings: iterationSettings(schedule, state.counters.iteration, progress.epoch),
        weightDecay: effectiveDecay(hyp.weight_decay, schedule),
        clipNorm: options.clipNorm > 0 ? options.clipNorm : undefined,
        features: loss.features,
        loss: (forward, values) =>
          loss.of(forward, values, device.target, {
            epoch: progress.epoch,
            iteration: state.counters.iteration,
          }),
      });
    } finally {
      device.dispose();
    }
  };

  const answerValues = teacherValues(run);
  const credits = createCredits(options.credits * 1024 * 1024);
  const decoder = createViewDecoder({
    dataset: run.dataset,
    workers: options.workers,
    slots: Math.max(4, 2 * options.workers),
    viewBytes: options.imgsz * options.imgsz * 3,
    imageCacheBytes: loop.imageCacheBytes,
  });
  const load = createBatchLoader({
    dataset: run.dataset,
    participants: run.participants,
    imageSize: options.imgsz,
    decoder,
    source,
  });
  const save = (): Promise<void> => {
    Object.assign(progress, state.counters);
    return writeCheckpoint(files.checkpoint, state, progress);
  };
  let lastSave = performance.now();
  const events = await openEventFile(files.events, progress.rows, () => Date.now() / 1000);

  /** Trains what is left of the present epoch; returns the share of time spent waiting for data, and batches/s. */
  const trainEpoch = async (): Promise<{ dataWait: number; rate: number }> => {
    const left = Array.from({ length: perEpoch - progress.batch }, (_, i) => progress.batch + i);
    const bytes = batchBytes(options.imgsz, answerValues, options.batchSize);
    const begin = performance.now();
    let computing = 0;
    let views = 0;
    const source$ = orderedPrefetch(left, {
      bytesOf: () => bytes,
      credits,
      concurrency: AHEAD,
      load: (index, signal) => load(batches(progress.epoch, index), signal),
      signal: context.signal,
    });
    await lastValueFrom(
      source$.pipe(
        concatMap(async ({ value: batch, release }) => {
          // The engine blocks this thread: let the decoders' messages and signals through first.
          await yieldToEvents();
          context.signal.throwIfAborted();
          const start = performance.now();
          const result = step(batch);
          computing += performance.now() - start;
          views += batch.size;
          release();
          for (const [name, value] of Object.entries(result.logged)) {
            progress.sums[name] = (progress.sums[name] ?? 0) + value;
          }
          progress.sums['gradient_norm'] = (progress.sums['gradient_norm'] ?? 0) + result.gradientNorm;
          progress.batch += 1;
          const elapsed = (performance.now() - begin) / 1000;
          const rate = views / elapsed;
          context.emit({
            type: 'step',
            done: progress.epoch * perEpoch + progress.batch,
            total: options.epochs * perEpoch,
            rate,
            etaS:
              ((options.epochs - progress.epoch) * perEpoch - progress.batch) * (options.batchSize / rate),
          });
          if (performance.now() - lastSave > options.checkpointMinutes * 60_000) {
            await save();
            lastSave = performance.now();
          }
        }),
      ),
      { defaultValue: undefined },
    );
    const total = performance.now() - begin;
    return { dataWait: total > 0 ? Math.max(0, 1 - computing / total) : 0, rate: (views * 1000) / total };
  };

  try {
    while (progress.epoch < options.epochs && !progress.finished) {
      const begin = performance.now();
      const { dataWait, rate } = await trainEpoch();
      const means = Object.fromEntries(
        Object.entries(progress.sums).map(([name, sum]) => [`train/${name}`, sum / perEpoch]),
      );
      const { learningRate, biasLearningRate } = iterationSettings(
        schedule,
        state.counters.iteration - 1,
        progress.epoch,
      );
      const averaged = await averagedState(state);
      const isLast = progress.epoch + 1 === options.epochs;
      const measured =
        run.validation !== undefined && ((progress.epoch + 1) % options.valEvery === 0 || isLast)
          ? await measure(run, engine, averaged, context.signal)
          : undefined;
      const row: Record<string, number> = {
        epoch: progress.epoch,
        ...means,
        lr: learningRate,
        lr_bias: biasLearningRate,
        ...measured,
      };
      const score =
        measured === undefined
          ? undefined
          : fitness({ mAP50: measured['metrics/mAP50'] ?? 0, mAP50_95: measured['metrics/mAP50_95'] ?? 0 });
      const isBest = score === undefined ? run.validation === undefined : score >= progress.bestFitness;
      if (isBest) {
        progress.bestFitness = score ?? -1;
        progress.bestEpoch = progress.epoch;
        await writeWeights(files.best, run, averaged);
      }
      await writeWeights(files.last, run, averaged);
      progress.rows.push(row);
      const stale = progress.epoch - progress.bestEpoch >= options.patience && options.patience > 0;
      progress.epoch += 1;
      progress.batch = 0;
      progress.sums = {};
      progress.finished = isLast || (score !== undefined && stale);
      await save();
      lastSave = performance.now();
      await writeResults(files.results, progress.rows);
      await events.append(progress.rows);
      const seconds = (performance.now() - begin) / 1000;
      await appendFile(
        files.rates,
        `${progress.epoch - 1},${seconds.toFixed(3)},${rate.toFixed(3)},${dataWait.toFixed(4)}\n`,
      );
      context.emit({
        type: 'epoch',
        epoch: progress.epoch - 1,
        total: options.epochs,
        metrics: row,
        rate,
        dataWait,
        etaS: (options.epochs - progress.epoch) * seconds,
      });
    }
    await writeResults(files.results, progress.rows);
    await events.append(progress.rows);
    return progress;
  } catch (error) {
    if (!context.signal.aborted) throw error;
    await save();
    throw new SoftshardError('E_ABORTED', {
      message: `Training stopped in epoch ${progress.epoch}, batch ${progress.batch}; the checkpoint is written.`,
      cause: error,
    });
  } finally {
    await decoder.close();
    disposeState(state);
  }
}

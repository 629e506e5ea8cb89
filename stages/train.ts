/**
 * Trains a student: from a teacher's cache, from labels, or from both.
 *
 *     softshard train --cfg yolov5p.yaml --data coco128.yaml --cache cache/yolov5n --imgsz 320 --epochs 100
 *
 * The run's folder is PROJECT/NAME. The same command again goes on where it stopped, to the bit.
 */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { keptImages } from '../src/augment/image-cache-options.ts';
import { lockWriter } from '../src/cache/writer-lock.ts';
import type { JsonRecord } from '../src/cache/identity.ts';
import { decoderVersions } from '../src/data/decoder-versions.ts';
import { SoftshardError } from '../src/errors.ts';
import { softshardHome } from '../src/engine/install/home.ts';
import { chooseEngine } from '../src/flow/engine-choice.ts';
import { canonicalJson } from '../src/text/canonical-json.ts';
import { EVENT_FORMAT } from '../src/flow/events.ts';
import { openStepEngine } from '../src/flow/open-step-engine.ts';
import { imageCheckStore } from '../src/flow/image-check-store.ts';
import { defineStep, stepMain, type StepContext } from '../src/flow/step-main.ts';
import { parameterCount } from '../src/model/graph.ts';
import { givenOptions, trainCommand } from '../src/train/given-options.ts';
import { readProgress, type Progress } from '../src/train/checkpoint.ts';
import { resumedOptions } from '../src/train/last-run.ts';
import { prepareRun, type PreparedRun } from '../src/train/prepare-run.ts';
import {
  breaksOf,
  compareRun,
  engineOfLiveTeacher,
  engineOfRun,
  readRunRecord,
  writeRunRecord,
  type EpochBreak,
  type RunRecord,
} from '../src/train/run-record.ts';
import { runFiles } from '../src/train/run-files.ts';
import { DEFAULT_STUDENT } from '../src/train/student-yaml.ts';
import { trainLoop } from '../src/train/train-loop.ts';
import { trainOptionsSchema, type TrainOptions } from '../src/train/train-options.ts';

/** What a finished training leaves behind. */
export interface TrainResult {
  /** The run's folder. */
  readonly run: string;
  readonly epochs: number;
  /** Batches trained on. */
  readonly steps: number;
  /** Weights (moving average) of the best epoch and of the last. */
  readonly best: string;
  readonly last: string;
  /** Trainable parameters. */
  readonly parameters: number;
  /** Of the last epoch that was measured: P, R, mAP50, mAP50_95, or accuracy; null without validation. */
  readonly metrics: Readonly<Record<string, number>> | null;
  /** Whether the run was finished before this command. */
  readonly found: boolean;
  /** Where the number of epochs was raised: the result is then that of neither uninterrupted run. */
  readonly breaks: readonly EpochBreak[];
}

const folderOf = ({ project, name }: TrainOptions): string => join(project, name);

function resultOf(
  folder: string,
  parameters: number,
  progress: Progress,
  { found, breaks }: Pick<TrainResult, 'found' | 'breaks'>,
): TrainResult {
  const { best, last } = runFiles(folder);
  const measured = progress.rows.findLast((row) => 'metrics/mAP50' in row || 'metrics/accuracy' in row);
  const metrics =
    measured === undefined
      ? null
      : Object.fromEntries(
          Object.entries(measured)
            .filter(([name]) => name.startsWith('metrics/'))
            .map(([name, value]) => [name.slice('metrics/'.length), value]),
        );
  return {
    run: resolve(folder),
    epochs: progress.epoch,
    steps: progress.iteration,
    best: resolve(best),
    last: resolve(last),
    parameters,
    metrics,
    found,
    breaks,
  };
}

/** Trains as the options say; see `TrainResult`. Throws before the first write when anything does not fit. */
export async function train(options: TrainOptions, context: StepContext): Promise<TrainResult> {
  const folder = folderOf(options);
  const recorded = await readRunRecord(folder);
  if (options.resume && recorded === undefined) {
    throw new SoftshardError('E_RUN_MISSING', {
      message: 'There is no run to resume.',
      where: folder,
      expected: 'a folder with run.json, as softshard train leaves it',
      found: 'none',
      remedy: 'Leave --resume out to begin, or name another --project and --name.',
    });
  }
  const run = await prepareRun(
    options,
    { ...context, checks: imageCheckStore() },
    recorded && engineOfLiveTeacher(recorded),
  );
  try {
    return await trainPrepared(run, recorded, context);
  } finally {
    await run.cache?.close();
  }
}

async function trainPrepared(
  run: PreparedRun,
  recorded: RunRecord | undefined,
  context: StepContext,
): Promise<TrainResult> {
  const { options } = run;
  const folder = folderOf(options);
  const parameters = parameterCount(run.graph);
  await mkdir(folder, { recursive: true });
  const lock = await lockWriter(`${folder}.local`);
  try {
    const { engine, reason } = await openStepEngine(options, recorded && engineOfRun(recorded));
    context.info(
      `engine ${engine.info.name} on ${engine.info.device} (${reason}), ${engine.info.threads} threads`,
    );
    // A cache's answers are fixed; those of a live teacher depend on what makes them.
    const tellsTeacher = run.cache?.live === true || recorded?.provenance['teacher'] !== undefined;
    const provenance = {
      engine: engine.info,
      ...(tellsTeacher ? { teacher: run.cache?.reader.manifest.provenance } : {}),
      ...decoderVersions(),
      node: process.version,
      v8: process.versions.v8,
    } as unknown as JsonRecord;
    const asked = { identity: run.identity, provenance };
    const begun = recorded !== undefined ? await progressOf(folder) : undefined;
    if (recorded !== undefined) {
      compareRun(recorded, asked, folder);
      const before = Number(recorded.places['epochs']);
      if (options.epochs < before) {
        throw new SoftshardError('E_RUN_OPTIONS', {
          message: 'The run was begun for more epochs.',
          where: `${folder}, epochs`,
          expected: `at least ${before}`,
          found: String(options.epochs),
        });
      }
      if (options.epochs > before) {
        context.warn(
          `epochs raised from ${before} to ${options.epochs}: the result is that of neither uninterrupted run`,
        );
      } else if (begun?.finished === true) {
        context.info(`${folder} is finished: nothing to do`);
        return resultOf(folder, parameters, begun, { found: true, breaks: breaksOf(recorded) });
      }
    }
    const raised = recorded !== undefined && Number(recorded.places['epochs']) !== options.epochs;
    const breaks = [
      ...breaksOf(recorded),
      ...(raised
        ? [{ epoch: begun?.epoch ?? 0, from: Number(recorded.places['epochs']), to: options.epochs }]
        : []),
    ];
    await writeRunRecord(folder, {
      ...asked,
      places: {
        // A resumption repeats the command; the one that made the run stays.
        command: (raised ? undefined : recorded?.places['command']) ?? trainCommand(options),
        given: await givenOptions(options),
        epochs: options.epochs,
        data: options.data,
        cache:
          (typeof options.cache === 'object' && options.cache.length === 1
            ? options.cache[0]
            : options.cache) ?? null,
        ...(options.liveTeacher === undefined ? {} : { liveTeacher: options.liveTeacher }),
        weights: options.weights,
        cfg: options.cfg ?? null,
        // What --resume alone repeats.
        options: canonicalJson(options),
        breaks: breaks,
      },
    });
    const labelled = run.dataset.samples.filter((sample) => sample.labels !== undefined).length;
    context.emit({
      type: 'start',
      version: EVENT_FORMAT,
      message:
        `student ${options.cfg ?? (options.weights === '' ? DEFAULT_STUDENT : options.weights)}: ${parameters} parameters; ${run.participants.length} images, ${labelled} labelled` +
        (begun === undefined ? '' : `; going on at epoch ${begun.epoch}, batch ${begun.batch}`),
      total: options.epochs,
    });
    const images = await keptImages(options, process.availableMemory(), softshardHome());
    const progress = await trainLoop({ run, engine, folder, resume: begun !== undefined, images }, context);
    return resultOf(folder, parameters, progress, { found: false, breaks });
  } finally {
    await lock.release();
  }
}

/** The progress of a run's checkpoint; undefined where it was stopped before the first. */
async function progressOf(folder: string): Promise<Progress | undefined> {
  try {
    return await readProgress(runFiles(folder).checkpoint);
  } catch (error) {
    if (error instanceof SoftshardError && error.code === 'E_FILE') return undefined;
    throw error;
  }
}

export const command = defineStep({
  name: 'train',
  summary:
    'Trains a student from a teacher’s cache, from labels, or from both. The same command again resumes.',
  options: trainOptionsSchema,
  complete: async (given) =>
    given['resume'] === true && given['data'] === undefined ? resumedOptions(given) : given,
  environment: async (options) => {
    const recorded = await readRunRecord(folderOf(options));
    return chooseEngine(options, recorded && engineOfRun(recorded), process.env);
  },
  run: train,
  describe: ({ run, epochs, steps, metrics, best, found, breaks }) =>
    [
      `${found ? 'found' : 'trained'} ${epochs} epochs, ${steps} steps: ${run}`,
      metrics === null
        ? 'nothing was measured'
        : metrics['accuracy'] !== undefined
          ? `accuracy ${metrics['accuracy'].toFixed(3)}`
          : `mAP50 ${(metrics['mAP50'] ?? 0).toFixed(3)}, mAP50-95 ${(metrics['mAP50_95'] ?? 0).toFixed(3)}`,
      `best weights: ${best}`,
      ...breaks.map(
        ({ epoch, from, to }) =>
          `epochs were raised from ${from} to ${to} after epoch ${epoch}: the result is that of neither uninterrupted run`,
      ),
    ].join('\n'),
});

stepMain(import.meta.url, command);

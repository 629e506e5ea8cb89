/** `softshard distill`: the command line of the method's first implementation; teach, train, evaluate, report. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { datasetSplits } from '../data/read-dataset.ts';
import { defineStep, stepMain } from '../flow/step-main.ts';
import { comparison } from '../pipeline/comparison.ts';
import { dataset, weights as weightsRef } from '../pipeline/artefacts.ts';
import { perform } from '../pipeline/perform.ts';
import { evaluate, report, teach, train } from '../pipeline/steps.ts';
import { engineOptions } from '../flow/engine-options.ts';
import { fileError } from '../flow/file-error.ts';
import { trainOptionsSchema } from '../train/train-options.ts';
import { distillTerms } from './distill-terms.ts';

const shared = trainOptionsSchema.shape;

export const distillOptionsSchema = z.strictObject({
  data: shared.data,
  cfg: shared.cfg.default('yolov5n.yaml'),
  weights: z.string().default('').describe('weights of the student to begin with; empty: random ones'),
  tWeights: z.string().describe('weights of the teacher').meta({ placeholder: 'FILE' }),
  tCfg: z.string().default('').describe('model yaml of the teacher, for a plain state dict'),
  dOutput: z.boolean().default(false).describe('distil the outputs'),
  dFeature: z.boolean().default(false).describe('distil outputs and features (layers 4, 6 and 9)'),
  outputLoss: z.enum(['soft', 'l2']).default('soft').describe('l2: as the first implementation, mended'),
  epochs: shared.epochs,
  batchSize: shared.batchSize,
  labelledShare: shared.labelledShare,
  imgsz: shared.imgsz.meta({ aliases: ['img', 'img-size'] }),
  hyp: z
    .string()
    .default('scratch-low')
    .describe('hyper-parameters: augmentation for the teacher, the rest for the student'),
  views: z
    .int()
    .min(1)
    .optional()
    .describe('augmented views an image in the cache; min(epochs, 10) by default'),
  resume: shared.resume,
  project: z.string().default('runs/distill').describe('folder of runs and caches'),
  name: shared.name.default('exp'),
  ...engineOptions,
  seed: shared.seed,
});

type Options = z.output<typeof distillOptionsSchema>;

/** sha256 of a file's bytes, or of its name where it names a built-in. */
async function contentHash(file: string, isName: boolean): Promise<string> {
  try {
    return createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
  } catch (error) {
    if (isName) return file;
    throw fileError(error, file, 'read');
  }
}

/** The cache's folder: its name is a digest of what decides it, so that students of one teacher share it. */
async function cacheFolder(options: Options, views: number, hints: readonly number[]): Promise<string> {
  const { data, tWeights, tCfg, imgsz, hyp, seed, project } = options;
  const identity = [
    ...[resolve(data), await contentHash(tWeights, false), tCfg === '' ? '' : await contentHash(tCfg, true)],
    ...[imgsz, await contentHash(hyp, true), seed, views, hints],
  ];
  const key = createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 12);
  return join(project, 'caches', key);
}

export const command = defineStep({
  name: 'distill',
  summary: 'Runs the teacher once, trains a student from its cache, measures both and writes a report.',
  environment: 'none',
  options: distillOptionsSchema,
  run: async (options, context) => {
    const { imgsz, batchSize, epochs, engine, threads, seed, hyp, project, name } = options;
    const terms = distillTerms(options);
    for (const line of terms.lines) context.info(line);
    const views = options.views ?? Math.min(epochs, 10);
    const data = dataset(options.data);
    const teacher = weightsRef(options.tWeights);
    const tCfg = options.tCfg === '' ? undefined : options.tCfg;
    const cache = await perform(
      teach({
        ...{ weights: teacher, data, imgsz, hyp, views, hints: terms.hints, seed, engine, threads },
        ...{ cfg: tCfg, cache: await cacheFolder(options, views, terms.hints) },
      }),
      context,
    );
    const run = await perform(
      train({
        ...{ cfg: options.cfg, data, cache, imgsz, epochs, batchSize, hyp, seed, engine, threads },
        ...{ project, name, set: { distill: terms.settings }, labelledShare: options.labelledShare },
        ...(options.weights === '' ? {} : { weights: weightsRef(options.weights) }),
        ...(options.resume ? { resume: true } : {}),
      }),
      context,
    );
    const splits = await datasetSplits(options.data);
    const held = dataset(options.data, splits.includes('val') ? 'val' : undefined);
    const measured = { data: held, imgsz, engine, threads } as const;
    const ofTeacher = await perform(evaluate({ model: teacher, cfg: tCfg, ...measured }), context);
    const best = weightsRef(run.best);
    const ofStudent = await perform(evaluate({ model: best, ...measured }), context);
    const written = await perform(
      report({ run, teacher, teacherCfg: tCfg, rect: false, ...measured }),
      context,
    );
    return {
      ...{ run: run.dir, cache: cache.dir, weights: run.best, report: written.file, terms: terms.settings },
      evaluations: { teacher: ofTeacher, student: ofStudent },
    };
  },
  describe: ({ evaluations, run, cache, report: file }) =>
    [
      comparison([
        ['teacher', evaluations.teacher],
        ['student', evaluations.student],
      ]),
      '',
      `run     ${run}`,
      `cache   ${cache}`,
      `report  ${file}`,
    ].join('\n'),
});

stepMain(import.meta.url, command);

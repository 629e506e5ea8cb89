/** `softshard report`: measures what a run made beside its teacher and a baseline, and writes report.html. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { readDataset } from '../data/read-dataset.ts';
import { SoftshardError } from '../errors.ts';
import { evaluationSplit } from '../evaluate/evaluation-split.ts';
import { EVENT_FORMAT } from '../flow/events.ts';
import { engineOptions } from '../flow/engine-options.ts';
import { openStepEngine } from '../flow/open-step-engine.ts';
import { imageCheckStore } from '../flow/image-check-store.ts';
import { defineStep, stepMain, type StepContext } from '../flow/step-main.ts';
import { labelCurves } from '../report/detection-curves.ts';
import { measureModel, type Measured } from '../report/measure-model.ts';
import { rowsText, type ModelRow } from '../report/model-table.ts';
import { commandOf, placeOf } from '../report/run-command.ts';
import { runMosaic, spreadSamples } from '../report/run-mosaic.ts';
import { writeRunReport } from '../report/run-report.ts';
import { readRunRecord } from '../train/run-record.ts';
import { weightsOf } from '../train/run-weights.ts';

export const reportOptionsSchema = z.strictObject({
  run: z.string().describe('folder of the run; the report is written into it').meta({ placeholder: 'DIR' }),
  teacher: z.string().optional().describe('weights of the teacher').meta({ placeholder: 'FILE' }),
  teacherCfg: z.string().optional().describe('model yaml of the teacher, for a plain state dict'),
  baseline: z
    .string()
    .optional()
    .describe('folder of a run to compare with: the same student trained on labels alone')
    .meta({ placeholder: 'DIR' }),
  data: z.string().optional().describe('data to measure on; that of the run by default'),
  split: z
    .enum(['train', 'val', 'test', 'all'])
    .optional()
    .describe('split to measure on; by default val, else test, else train, else everything'),
  imgsz: z
    .int()
    .min(32)
    .multipleOf(32)
    .optional()
    .describe('longer side; that of the run by default')
    .meta({ unit: 'pixels' }),
  rect: z.boolean().default(true).describe('batches of images of like aspect, with little padding'),
  batchSize: z.int().min(1).default(8).describe('images a batch'),
  note: z.array(z.string()).default([]).describe('a sentence for the report').meta({ repeat: true }),
  ...engineOptions,
});

export type ReportOptions = z.output<typeof reportOptionsSchema>;

/** What `softshard report --json` prints. */
export interface ReportResult {
  readonly report: string;
  readonly data: string;
  readonly split: string;
  readonly imgsz: number;
  readonly rows: readonly ModelRow[];
}

/** Measures and writes. Throws E_RUN_MISSING, and as `loadInference` and `evaluateModel` do. */
export async function report(options: ReportOptions, context: StepContext): Promise<ReportResult> {
  const folder = options.run;
  const record = await readRunRecord(folder);
  const data = options.data ?? (record === undefined ? undefined : placeOf(record, 'data'));
  if (record === undefined || data === undefined) {
    throw new SoftshardError('E_RUN_MISSING', {
      message: record === undefined ? 'There is no run to report on.' : 'The run does not say its data.',
      where: folder,
      expected: record === undefined ? 'a folder with run.json' : '--data',
    });
  }
  const recorded = z.looseObject({ imgsz: z.number().optional() }).safeParse(record.identity['options']);
  const imageSize = options.imgsz ?? recorded.data?.imgsz ?? 640;
  const split = options.split ?? (await evaluationSplit(data));
  const weights = weightsOf(folder);
  const baseline = options.baseline === undefined ? undefined : weightsOf(options.baseline);
  const onWarning = (message: string): void => context.warn(message);
  const dataset = await readDataset({
    data,
    split,
    badImages: 'drop',
    checks: imageCheckStore(),
    signal: context.signal,
    onWarning,
  });
  const { rect, batchSize } = options;
  const { engine, reason } = await openStepEngine(options);
  context.emit({
    type: 'start',
    version: EVENT_FORMAT,
    message: `report on ${folder}: split ${split} of ${data} at ${imageSize}, engine ${engine.info.name} (${reason})`,
  });
  const setting = { engine, dataset, imageSize, batchSize, rect };
  const measure = (name: string, file: string, cfg?: string): Promise<Measured> =>
    measureModel(name, { weights: file, cfg }, setting, context);
  // One after another: at no time are two models in memory.
  const teacher =
    options.teacher === undefined ? undefined : await measure('teacher', options.teacher, options.teacherCfg);
  const isDistilled = ['cache', 'liveTeacher'].some((key) => placeOf(record, key) !== undefined);
  const student = await measure(isDistilled ? 'distilled student' : 'student', weights);
  const control = baseline === undefined ? undefined : await measure('labels only', baseline);
  const rows = [teacher, student, control].flatMap((measured) => measured?.row ?? []);
  const detects = student.row.accuracy === undefined;
  const mosaic = detects
    ? await runMosaic(spreadSamples(dataset.samples), student.names, {
        teacher: teacher?.found,
        student: student.found,
      })
    : undefined;
  const path = await writeRunReport({
    runFolder: folder,
    rows,
    mosaic,
    measured: detects
      ? [...student.curves, ...labelCurves(dataset.samples.flatMap((sample) => sample.labels ?? []))]
      : [],
    matrices: [teacher, student].flatMap((measured) => measured?.matrix ?? []),
    command: commandOf(record, folder),
    sections: [
      {
        title: 'Measured on',
        entries: [
          ['data', data],
          ['split', `${split}: ${dataset.samples.length} images`],
          ['data digest', dataset.digest],
          ['image size', imageSize],
          ['batches', rect ? `rectangular, ${batchSize}` : `square, ${batchSize}`],
          ['engine', `${engine.info.name} on ${engine.info.device}, ${engine.info.threads} threads`],
          ['student weights', weights],
          ...(options.teacher === undefined ? [] : [['teacher weights', options.teacher] as const]),
          ...(baseline === undefined ? [] : [['labels-only weights', baseline] as const]),
        ],
      },
    ],
    notes: [
      ...options.note,
      detects
        ? 'mAP as YOLOv5 v7.0 computes it (confidence 0.001, NMS 0.6, at most 300 detections an image).'
        : 'Accuracy: share of the images whose class has the largest logit.',
      'Time an image is that of the network alone, in batches as given below.',
    ],
  });
  return { report: resolve(path), data, split, imgsz: imageSize, rows };
}

export const command = defineStep({
  name: 'report',
  summary: 'Measures a run beside its teacher and a baseline, and writes report.html into its folder.',
  options: reportOptionsSchema,
  run: report,
  describe: ({ report: path, rows }) => `${rowsText(rows)}\nreport: ${path}`,
});

stepMain(import.meta.url, command);

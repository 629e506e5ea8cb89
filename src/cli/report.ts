/** `softshard report`: measures what a run made beside its teacher and a baseline, and writes report.html. */
import { existsSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { z } from 'zod';
import { readDataset } from '../data/read-dataset.ts';
import type { Dataset } from '../data/sample.ts';
import type { Engine } from '../engine/engine.ts';
import { SoftshardError } from '../errors.ts';
import { evaluateModel } from '../evaluate/evaluate-model.ts';
import { evaluationSplit } from '../evaluate/evaluation-split.ts';
import { loadInference } from '../evaluate/load-model.ts';
import { EVENT_FORMAT } from '../flow/events.ts';
import { engineOptions } from '../flow/engine-options.ts';
import { openStepEngine } from '../flow/open-step-engine.ts';
import { defineStep, stepMain, type StepContext } from '../flow/step-main.ts';
import type { Detection } from '../metric/box.ts';
import { parameterCount } from '../model/graph.ts';
import { detectionCurves, labelCurves } from '../report/detection-curves.ts';
import type { MatrixChart } from '../report/matrix-chart.ts';
import type { Curve } from '../report/report-input.ts';
import { findForMosaic, runMosaic, spreadSamples } from '../report/run-mosaic.ts';
import { modelTable, writeRunReport, type ModelRow } from '../report/run-report.ts';
import { formatColumn } from '../report/table.ts';
import { runFiles } from '../train/run-files.ts';
import { readRunRecord, type RunRecord } from '../train/run-record.ts';
import { trainOptionsSchema } from '../train/train-options.ts';
import { argvOf, commandLine } from './argv-of.ts';

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

const place = (record: RunRecord, key: string): string | undefined => {
  const value = record.places[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
};

/** The command that made the run: as recorded, else from its options (files of options are listed in the report). */
function commandOf(record: RunRecord, folder: string): string {
  const recorded = place(record, 'command');
  if (recorded !== undefined) return recorded;
  const known = Object.keys(trainOptionsSchema.shape);
  const options = z.record(z.string(), z.unknown()).catch({}).parse(record.identity['options']);
  const all: Readonly<Record<string, unknown>> = {
    ...options,
    ...record.places,
    project: dirname(folder),
    name: basename(folder),
  };
  const given = Object.entries(all).filter(([key, value]) => known.includes(key) && value !== null);
  return commandLine('train', argvOf(trainOptionsSchema, Object.fromEntries(given) as never));
}

/** The best weights of a run, else the last. Throws E_RUN_MISSING. */
function weightsOf(folder: string): string {
  const { best, last } = runFiles(folder);
  const found = [best, last].find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new SoftshardError('E_RUN_MISSING', {
    message: 'A run has no weights to measure.',
    where: folder,
    expected: `${basename(best)} or ${basename(last)}`,
    remedy: 'Let softshard train finish an epoch first.',
  });
}

interface Measured {
  readonly row: ModelRow;
  readonly found: ReadonlyMap<number, readonly Detection[]>;
  readonly names: readonly string[];
  readonly curves: readonly Curve[];
  readonly matrix: MatrixChart;
}

/** Measures one model and finds its boxes for the mosaic; its memory is free afterwards. */
async function measureModel(
  name: string,
  source: { readonly weights: string; readonly cfg?: string | undefined },
  setting: {
    readonly engine: Engine;
    readonly dataset: Dataset;
    readonly imageSize: number;
    readonly batchSize: number;
    readonly rect: boolean;
  },
  context: StepContext,
): Promise<Measured> {
  const { engine, dataset } = setting;
  const defaultNames = dataset.namesKnown ? dataset.names : undefined;
  const loaded = await loadInference({ ...source, defaultNames, engine });
  const { signal } = context;
  try {
    const options = { ...setting, model: loaded.model, signal };
    let told = performance.now();
    const { metrics, speed, curves, confusion } = await evaluateModel({
      ...options,
      clock: () => performance.now(),
      onProgress: (done, total) => {
        if (done < total && performance.now() - told < 1000) return;
        told = performance.now();
        context.emit({ type: 'step', done, total });
      },
    });
    context.info(`${name}: mAP50 ${metrics.mAP50.toFixed(3)}, mAP50-95 ${metrics.mAP50_95.toFixed(3)}`);
    const found = await findForMosaic({ ...options, samples: spreadSamples(dataset.samples) });
    const row = {
      name,
      parameters: parameterCount(loaded.graph),
      bytes: loaded.bytes,
      mAP50: metrics.mAP50,
      mAP50_95: metrics.mAP50_95,
      msPerImage: speed?.inferenceMs ?? NaN,
    };
    const matrix = { title: `Confusion matrix, ${name}`, counts: confusion, names: loaded.names };
    return { row, found, names: loaded.names, curves: detectionCurves(name, curves), matrix };
  } finally {
    loaded.model.dispose();
  }
}

/** Measures and writes. Throws E_RUN_MISSING, and as `loadInference` and `evaluateModel` do. */
export async function report(options: ReportOptions, context: StepContext): Promise<ReportResult> {
  const folder = options.run;
  const record = await readRunRecord(folder);
  const data = options.data ?? (record === undefined ? undefined : place(record, 'data'));
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
  const dataset = await readDataset({ data, split, badImages: 'drop', signal: context.signal, onWarning });
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
  const isDistilled = record.places['cache'] !== null && record.places['cache'] !== undefined;
  const student = await measure(isDistilled ? 'distilled student' : 'student', weights);
  const control = baseline === undefined ? undefined : await measure('labels only', baseline);
  const rows = [teacher, student, control].flatMap((measured) => measured?.row ?? []);
  const mosaic = await runMosaic(spreadSamples(dataset.samples), student.names, {
    teacher: teacher?.found,
    student: student.found,
  });
  const path = await writeRunReport({
    runFolder: folder,
    rows,
    mosaic,
    measured: [...student.curves, ...labelCurves(dataset.samples.flatMap((sample) => sample.labels ?? []))],
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
      'mAP as YOLOv5 v7.0 computes it (confidence 0.001, NMS 0.6, at most 300 detections an image).',
      'Time an image is that of the network alone, in batches as given below.',
    ],
  });
  return { report: resolve(path), data, split, imgsz: imageSize, rows };
}

/** The comparison as lines of text. */
export function rowsText(rows: readonly ModelRow[]): string {
  const table = modelTable(rows);
  if (table === undefined) return '';
  const columns = table.columns.map((title, c) => [
    title,
    ...formatColumn(table.rows.map((row) => row[c] ?? null)),
  ]);
  const widths = columns.map((cells) => Math.max(...cells.map((cell) => cell.length)));
  return Array.from({ length: rows.length + 1 }, (_, r) =>
    columns
      .map((cells, c) => (cells[r] ?? '')[c === 0 ? 'padEnd' : 'padStart'](widths[c] ?? 0))
      .join('   ')
      .trimEnd(),
  ).join('\n');
}

export const command = defineStep({
  name: 'report',
  summary: 'Measures a run beside its teacher and a baseline, and writes report.html into its folder.',
  options: reportOptionsSchema,
  run: report,
  describe: ({ report: path, rows }) => `${rowsText(rows)}\nreport: ${path}`,
});

stepMain(import.meta.url, command);

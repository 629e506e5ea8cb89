/** Writes the report of a run into its folder. */
import { join } from 'node:path';
import { SoftshardError } from '../errors.ts';
import type { Dataset } from '../data/sample.ts';
import type { Engine } from '../engine/engine.ts';
import { writeFileAtomic } from '../flow/atomic-file.ts';
import type { InferenceModel } from '../model/inference.ts';
import { runFiles } from '../train/run-files.ts';
import { readRunRecord } from '../train/run-record.ts';
import { renderReport } from './render-report.ts';
import type { MatrixChart } from './matrix-chart.ts';
import { modelTable, type ModelRow } from './model-table.ts';
import type { Curve, ReportPicture, Section } from './report-input.ts';
import { readResults } from './results-table.ts';
import { runCurves } from './run-curves.ts';
import { findForMosaic, runMosaic, spreadSamples } from './run-mosaic.ts';
import { runSections } from './run-sections.ts';

export interface RunMosaicOptions {
  readonly dataset: Dataset;
  readonly engine: Engine;
  readonly imageSize: number;
  readonly teacher?: InferenceModel | undefined;
  readonly student?: InferenceModel | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface RunReportOptions {
  /** Folder with run.json and results.csv. */
  readonly runFolder: string;
  /** Teacher, student, baseline: what was measured. */
  readonly rows: readonly ModelRow[];
  /** Images to show, by running models on them, or a picture that was made before. */
  readonly mosaic?: RunMosaicOptions | ReportPicture | undefined;
  readonly notes: readonly string[];
  /** The command line that made the run. */
  readonly command?: string;
  /** Charts of what was measured, and confusion matrices. */
  readonly measured?: readonly Curve[];
  readonly matrices?: readonly MatrixChart[];
  /** Shown before what run.json says. */
  readonly sections?: readonly Section[];
}

async function makeMosaic(options: RunMosaicOptions): Promise<ReportPicture> {
  const { dataset, engine, imageSize, signal } = options;
  const samples = spreadSamples(dataset.samples);
  const find = (model: InferenceModel | undefined) =>
    model === undefined ? undefined : findForMosaic({ model, engine, dataset, samples, imageSize, signal });
  const teacher = await find(options.teacher);
  const student = await find(options.student);
  const names = dataset.namesKnown ? dataset.names : (options.student ?? options.teacher)?.head.names;
  return runMosaic(samples, names ?? dataset.names, { teacher, student });
}

/**
 * Writes `report.html` into the run's folder (atomically) and returns its path: curves of all columns of
 * results.csv, the table of models, the mosaic, and what run.json records.
 *
 * Throws E_RUN_MISSING without run.json, and as `evaluateModel` does for the mosaic.
 */
export async function writeRunReport(options: RunReportOptions): Promise<string> {
  const { runFolder, rows, mosaic, notes } = options;
  const record = await readRunRecord(runFolder);
  if (record === undefined) {
    throw new SoftshardError('E_RUN_MISSING', {
      message: 'There is no run to report on.',
      where: runFolder,
      expected: 'a folder with run.json, as softshard train leaves it',
    });
  }
  const results = await readResults(runFiles(runFolder).results);
  const picture = mosaic === undefined || 'image' in mosaic ? mosaic : await makeMosaic(mosaic);
  const table = modelTable(rows);
  const html = renderReport({
    title: `Run ${runFolder}`,
    command: options.command ?? '',
    sections: [...(options.sections ?? []), ...runSections(record)],
    curves: runCurves(results),
    measured: options.measured ?? [],
    matrices: options.matrices ?? [],
    ...(table === undefined ? {} : { table }),
    mosaics: picture === undefined ? [] : [picture],
    notes: results.rows.length === 0 ? [...notes, 'No epoch was finished: there are no curves.'] : notes,
  });
  const path = join(runFolder, 'report.html');
  await writeFileAtomic(path, Buffer.from(html));
  return path;
}

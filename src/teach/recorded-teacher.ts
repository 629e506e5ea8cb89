/** The teacher that made a cache, opened again to recompute some of its answers in the very batches of `teach`. */
import { createViewDecoder, type SlottedView } from '../augment/view-decoder.ts';
import type { Cache } from '../cache/cache-reader.ts';
import { compareExtent, compareIdentity, firstDifference, type Difference } from '../cache/identity.ts';
import type { Manifest } from '../cache/manifest.ts';
import type { Recompute } from '../cache/repair.ts';
import type { Target } from '../cache/target.ts';
import { decoderVersions } from '../data/decoder-versions.ts';
import type { Unit } from '../data/plan.ts';
import type { Dataset } from '../data/sample.ts';
import { isSoftshardError, SoftshardError } from '../errors.ts';
import { once } from '../flow/once.ts';
import { openStepEngine } from '../flow/open-step-engine.ts';
import type { StepContext } from '../flow/step-command.ts';
import { answerViews, targetsOf } from './answer-views.ts';
import { changedImages } from './changed-images.ts';
import { prepareTeaching } from './prepare-teaching.ts';
import { engineOfCache, threadsOfCache } from './recorded-engine.ts';
import { recordedOptions, type RecordedTeacherOptions, type TeacherFiles } from './recorded-options.ts';
import { batchAt, batchStart } from './teach-batch.ts';
import { teacherMaker } from './teach-provenance.ts';

export interface RecordedTeacher {
  readonly dataset: Dataset;
  readonly teachBatch: number;
  /** The first field of provenance in which this process differs from the one that made the cache. */
  readonly difference: Difference | undefined;
  /** Answers to the views of a batch, in their order; `batch.views` must be a whole batch of `teach`. */
  answer(batch: Unit): Promise<Target[]>;
  /** Answers to single positions of a unit: the batches around them are computed. */
  readonly recompute: Recompute;
  close(): Promise<void>;
}

/** Throws E_USAGE unless teacher and images are named. */
export function namedFiles(options: RecordedTeacherOptions): TeacherFiles {
  const { weights, data } = options;
  if (weights !== undefined && data !== undefined) return { ...options, weights, data };
  throw new SoftshardError('E_USAGE', {
    message: 'To recompute answers, the teacher and the images are needed.',
    expected: '--weights FILE --data DATA (and --split, --cfg as for teach)',
    found: weights === undefined ? 'no --weights' : 'no --data',
  });
}

/**
 * Opens it. Throws E_CACHE_IDENTITY naming the first field in which the files are not those of the cache, and the
 * images that changed where that is why; and as reading data set and teacher does.
 */
export async function openRecordedTeacher(
  manifest: Manifest,
  folder: string,
  files: TeacherFiles,
  context: StepContext,
  /** The cache, to tell which images changed. */
  cache?: Cache,
): Promise<RecordedTeacher> {
  const options = recordedOptions(manifest, folder, files);
  const engine = once(async () => openStepEngine(options, await engineOfCache(folder)));
  const threads = options.threads ?? (await threadsOfCache(folder));
  const { prepared, teacher, detections, identity, extent } = await prepareTeaching(
    { ...options, threads },
    context,
    engine,
  );
  const { dataset, imageSize, recordOf } = prepared;
  const { teachBatch, workers } = options;
  const decoder = createViewDecoder({
    ...{ dataset, workers, slots: teachBatch + workers, viewBytes: imageSize * imageSize * 3 },
  });
  try {
    compareIdentity(identity, manifest.identity);
    compareExtent(extent, manifest.extent);
  } catch (error) {
    const isData = isSoftshardError(error, 'E_CACHE_IDENTITY') && error.detail.where === 'data';
    const changed =
      isData && cache !== undefined && manifest.extent.samples === dataset.samples.length
        ? await changedImages(cache, dataset, decoder, context.signal)
        : [];
    await decoder.close();
    await teacher.close();
    if (changed.length === 0 || !isSoftshardError(error)) throw error;
    throw new SoftshardError('E_PIXELS', {
      ...error.detail,
      message: 'Images changed after the teacher saw them.',
      where: changed.slice(0, 20).join(', '),
      found: `${changed.length} changed of ${dataset.samples.length}; data digest ${dataset.digest}`,
      remedy: 'Restore these files, or teach again into a new folder.',
      cause: error,
    });
  }
  const made = await teacherMaker(teacher, engine);
  context.info(made.text);
  const running = await teacher.start();
  const provenance = made.provenance(teachBatch, decoderVersions());

  const answer = async (batch: Unit): Promise<Target[]> => {
    const views: SlottedView[] = [];
    try {
      for (const settled of await Promise.allSettled(
        batch.views.map((key) => decoder.decode(recordOf(key), context.signal)),
      )) {
        if (settled.status === 'rejected') throw settled.reason;
        views.push(settled.value);
      }
      return targetsOf(await answerViews(running, teachBatch, views), detections);
    } finally {
      for (const view of views) view.release();
    }
  };
  return {
    dataset,
    teachBatch,
    difference: firstDifference(provenance, manifest.provenance),
    answer,
    recompute: async function* (unit, positions) {
      let start = -1;
      let answers: readonly Target[] = [];
      for (const position of positions) {
        const first = batchStart(teachBatch, position);
        if (first !== start) {
          answers = await answer(batchAt(unit, teachBatch, position));
          start = first;
        }
        const target = answers[position - first];
        if (target !== undefined) yield target;
      }
    },
    close: async () => {
      await running.dispose();
      await decoder.close();
    },
  };
}

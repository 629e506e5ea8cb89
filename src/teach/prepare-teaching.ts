/** Everything about a teaching before it begins: views, teacher, answers, bytes, and what identifies the cache. */
import type { Extent } from '../cache/extent.ts';
import type { Identity } from '../cache/identity.ts';
import type { ErrorBounds } from '../codec-error/choose-parameters.ts';
import type { Dataset } from '../data/sample.ts';
import { averagedTeacher } from './averaged-teacher.ts';
import { checkTeacherClasses, loadTeacher, type EngineOpener, type LoadedTeacher } from './load-teacher.ts';
import { errorBounds, recordedHeadCodec } from './settle-codec.ts';
import { planAnswers, type PlannedAnswers } from './plan-answers.ts';
import { preparePlan, type PlanContext, type PreparedPlan } from './prepare-plan.ts';
import type { TeachStepOptions } from './teach-options.ts';
import { teacherIdentity } from './teacher-cache.ts';
import type { DetectionAnswers } from './teacher-detections.ts';

export interface PreparedTeaching {
  readonly prepared: PreparedPlan;
  readonly teacher: LoadedTeacher;
  readonly planned: PlannedAnswers;
  /** Bytes of all answers at most. */
  readonly bytes: number;
  /** Bounds on the error of the heads, where there are any. */
  readonly bounds: ErrorBounds | undefined;
  /** Which detections are cached in place of the heads, where they are. */
  readonly detections: DetectionAnswers | undefined;
  readonly identity: Identity;
  readonly extent: Extent;
}

/** The teacher of the options, averaged with the others that they name. */
async function loadTeachers(
  options: Omit<TeachStepOptions, 'cache' | 'units'>,
  dataset: Dataset,
  engine: EngineOpener,
): Promise<LoadedTeacher> {
  const teachers = [await loadTeacher(options, dataset, engine)] as [LoadedTeacher, ...LoadedTeacher[]];
  try {
    for (const weights of options.averageWith) {
      const other = { ...options, weights, cfg: undefined, hints: [], heads: [] };
      teachers.push(await loadTeacher(other, dataset, engine));
    }
    const [first, ...others] = teachers;
    return averagedTeacher(first, others);
  } catch (error) {
    for (const teacher of teachers) await teacher.close();
    throw error;
  }
}

/**
 * Reads and checks all that teaching needs. Throws as `preparePlan`, `loadTeacher` and `planAnswers` do.
 *
 * @param engine Called where the teacher cannot be read without one: a TF.js graph model.
 */
export async function prepareTeaching(
  options: Omit<TeachStepOptions, 'cache' | 'units'> & { readonly cache?: string },
  context: PlanContext,
  engine: EngineOpener,
): Promise<PreparedTeaching> {
  const prepared = await preparePlan(options, context);
  const { dataset, plan, augmentation, closeMosaic, imageSize } = prepared;
  const bounds = errorBounds(options);
  const teacher = await loadTeachers(options, dataset, engine);
  const { head, features, summary } = teacher;
  try {
    checkTeacherClasses(head, dataset, options.weights);
    // What bounds gave a cache once is what it has.
    const recorded =
      bounds === undefined || options.cache === undefined
        ? undefined
        : await recordedHeadCodec(options.cache);
    const planned = planAnswers(head, features, { ...options, codec: recorded ?? options.codec });
    const { confThres, iouThres, maxDet } = options;
    const detections =
      options.answers === 'heads'
        ? undefined
        : { head, selection: { confidence: confThres, iou: iouThres, maxDetections: maxDet } };
    return {
      prepared,
      teacher,
      planned,
      bounds,
      detections,
      bytes: planned.viewBytes * plan.samples * plan.views,
      identity: teacherIdentity({
        dataset,
        seed: options.seed,
        augmentation,
        closeMosaic,
        imageSize,
        teacher: summary,
        hints: features.map(({ layer }) => layer),
        detections: detections?.selection,
        bounds,
      }),
      extent: {
        samples: plan.samples,
        unitViews: plan.unitViews,
        views: plan.views,
        answers: planned.answers.map(({ kind, blobs, codec }) => ({ kind, blobs, codec })),
      },
    };
  } catch (error) {
    await teacher.close();
    throw error;
  }
}

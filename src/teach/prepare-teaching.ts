/** Everything about a teaching that needs no engine: views, teacher, answers, bytes, and what identifies the cache. */
import type { Extent } from '../cache/extent.ts';
import type { Identity } from '../cache/identity.ts';
import type { ErrorBounds } from '../codec-error/choose-parameters.ts';
import { teacherDigest } from '../weights/teacher-digest.ts';
import { checkTeacherClasses, loadTeacher, type LoadedTeacher } from './load-teacher.ts';
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

/** Reads and checks all that teaching needs. Throws as `preparePlan`, `loadTeacher` and `planAnswers` do. */
export async function prepareTeaching(
  options: Omit<TeachStepOptions, 'cache' | 'units'> & { readonly cache?: string },
  context: PlanContext,
): Promise<PreparedTeaching> {
  const prepared = await preparePlan(options, context);
  const { dataset, plan, augmentation, closeMosaic, imageSize } = prepared;
  const teacher = await loadTeacher(options, dataset);
  const { graph, state, head } = teacher;
  checkTeacherClasses(head, dataset, options.weights);
  const bounds = errorBounds(options);
  // What bounds gave a cache once is what it has.
  const recorded =
    bounds === undefined || options.cache === undefined ? undefined : await recordedHeadCodec(options.cache);
  const planned = planAnswers(graph, head, { ...options, codec: recorded ?? options.codec });
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
      digest: teacherDigest(state, JSON.parse(JSON.stringify(graph.yaml))),
      graph,
      head,
      hints: options.hints,
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
}

/** Everything about a run that needs no engine: data, cache, student, losses, and what identifies it. */
import { settingGroups } from '../flow/setting-groups.ts';
import { LETTERBOX_ONLY, type Augmentation } from '../augment/augmentation.ts';
import { withoutMosaic } from '../augment/close-mosaic.ts';
import { rectBatches, type RectBatch } from '../metric/rect-batches.ts';
import { augmentationOf, readHyp } from '../augment/hyp.ts';
import type { TrainingHyp } from '../augment/training-hyp.ts';
import type { JsonRecord } from '../cache/identity.ts';
import { checkClasses, checkSameClasses } from '../data/class-names.ts';
import type { Dataset } from '../data/sample.ts';
import { SoftshardError } from '../errors.ts';
import { needsHeads, readsDetections, type DistillationOptions } from '../loss/distillation-options.ts';
import { buildGraph, type ModelGraph } from '../model/graph.ts';
import type { TensorData } from '../model/tensor-data.ts';
import { isClassifier } from '../model/detector.ts';
import { DETECTIONS_KIND, featureKind, outputAnswer } from '../teach/answers.ts';
import { autoAnchor } from './auto-anchor.ts';
import { checkClassLabels } from './check-class-labels.ts';
import { checkSampling } from './check-sampling.ts';
import { frozenLayers } from './frozen-layers.ts';
import { initialWeights } from './initial-weights.ts';
import { labelledShare, type LabelledShare } from './labelled-share.ts';
import type { EngineRecord } from '../flow/engine-choice.ts';
import { openAnswers } from './open-answers.ts';
import { checkAugmentation, type OpenedCache } from './open-teacher-cache.ts';
import { readTrainingData, readValidation, type DataContext } from './run-data.ts';
import { checkRunDistillation, readDistillation } from './run-distillation.ts';
import { runIdentity } from './run-identity.ts';
import { studentYaml } from './student-yaml.ts';
import type { TrainOptions } from './train-options.ts';

export interface PreparedRun {
  readonly options: TrainOptions;
  readonly dataset: Dataset;
  readonly validation: Dataset | undefined;
  /** Sample indices that take part. */
  readonly participants: readonly number[];
  /** How each batch is divided, where that is asked for. */
  readonly share: LabelledShare | undefined;
  /** Where the teacher's answers come from; whoever prepared the run closes it. */
  readonly cache: OpenedCache | undefined;
  /** Batches of images of like aspect, where that is asked for: indices of samples, and their shape. */
  readonly rect: readonly RectBatch[] | undefined;
  readonly augmentation: Augmentation;
  /** Last epochs without mosaic. */
  readonly closeMosaic: number;
  readonly hyp: TrainingHyp;
  readonly distillation: DistillationOptions;
  readonly graph: ModelGraph;
  /** Layers that are not trained. */
  readonly frozen: ReadonlySet<number>;
  readonly initial: ReadonlyMap<string, TensorData>;
  readonly identity: JsonRecord;
}

/**
 * Reads and checks all that a run needs; `liveEngine` is the recorded one of the live teacher of a run that goes on.
 * Throws before anything is written.
 */
export async function prepareRun(
  options: TrainOptions,
  context: DataContext,
  liveEngine?: EngineRecord,
): Promise<PreparedRun> {
  const expected = 'hyp.KEY=VALUE, distill.KEY=VALUE or teach.OPTION=VALUE';
  const settings = settingGroups(options.set, ['hyp', 'distill', 'teach'], expected);
  const dataset = await readTrainingData(options, context);
  const cache = await openAnswers(options, dataset, settings.teach, liveEngine, context);
  try {
    return await prepareStudent({ options, dataset, cache, settings }, context);
  } catch (error) {
    await cache?.close();
    throw error;
  }
}

interface Begun extends Pick<PreparedRun, 'options' | 'dataset' | 'cache'> {
  readonly settings: Readonly<Record<'hyp' | 'distill', Readonly<Record<string, unknown>>>>;
}

/** The cache with as many views as answer all that the losses need. Throws E_CACHE_INCOMPLETE where none does. */
function withViews(cache: OpenedCache, distillation: DistillationOptions): OpenedCache {
  const features = distillation.hints.map((hint) => featureKind(hint.teacher));
  const hasDetections = cache.teacher.detections !== undefined;
  const kinds = [
    ...(needsHeads(distillation, hasDetections) ? [outputAnswer(cache.teacher.head).kind] : []),
    ...(hasDetections && readsDetections(distillation) ? [DETECTIONS_KIND] : []),
    ...new Set(features),
  ];
  const views = cache.reader.viewsOf?.(kinds) ?? cache.teacher.views;
  if (views > 0) return { ...cache, teacher: { ...cache.teacher, views } };
  throw new SoftshardError('E_CACHE_INCOMPLETE', {
    message: 'The caches hold no view with all the answers that the losses need.',
    expected: kinds.join(', '),
    found: cache.reader.kinds.join(', '),
    remedy: 'softshard extend CACHE adds views and hints to a cache.',
  });
}

async function prepareStudent(
  { options, dataset, cache: opened, settings }: Begun,
  context: DataContext,
): Promise<PreparedRun> {
  const hyp = await readHyp(options.hyp ?? 'scratch-low', settings.hyp);
  if (opened !== undefined && options.hyp !== undefined) checkAugmentation(hyp, opened.teacher.augmentation);
  const distillation = await readDistillation(options, settings.distill, opened !== undefined);
  const names = opened !== undefined && !dataset.namesKnown ? opened.teacher.head.names : dataset.names;
  checkClasses(dataset.samples, names.length);
  const student = await studentYaml(options);
  const yaml = autoAnchor(
    student.yaml,
    {
      samples: dataset.samples,
      imageSize: options.imgsz,
      threshold: hyp.training.anchor_t,
      seed: options.seed,
      search: options.autoAnchor,
      perLevel: hyp.training.anchors === undefined ? undefined : Math.round(hyp.training.anchors),
      hasTeacher: opened !== undefined,
    },
    context,
  );
  const graph = buildGraph(yaml, { names, where: student.where });
  if (opened !== undefined) checkRunDistillation(distillation, graph, opened, options.epochs);
  const cache = opened && withViews(opened, distillation);
  const share =
    options.labelledShare === undefined
      ? undefined
      : labelledShare(dataset.samples, options.labelledShare, options.batchSize);
  if (share !== undefined) {
    context.info(
      `each batch: ${share.views} of ${share.labelled.length} labelled images, ` +
        `${options.batchSize - share.views} of ${share.unlabelled.length} unlabelled ones`,
    );
  }
  const initial = await initialWeights(options, graph, context);
  const asked = cache?.teacher.augmentation ?? (hyp.given.size > 0 ? augmentationOf(hyp) : LETTERBOX_ONLY);
  const augmentation = options.rect ? withoutMosaic(asked) : asked;
  if (asked.mosaic !== augmentation.mosaic) context.info('--rect: no mosaic, nor what is mixed into one');
  const validation = await readValidation(options, context);
  if (validation !== undefined) checkSameClasses(dataset, validation, options.valSplit);
  if (isClassifier(graph.head)) {
    checkClassLabels(dataset, augmentation);
    if (validation !== undefined) checkClassLabels(validation, undefined);
  }
  const run = {
    ...{ options, dataset, validation, share, cache, augmentation, distillation, graph, initial },
    rect: options.rect
      ? rectBatches(dataset.samples, {
          ...{ batchSize: options.batchSize, imageSize: options.imgsz, pad: 0 },
          stride: Math.max(32, ...graph.head.strides),
        })
      : undefined,
    participants: dataset.samples.map((sample) => sample.index),
    closeMosaic: checkSampling({ options, cache, dataset }),
    frozen: frozenLayers(options.freeze, graph),
    hyp: hyp.training,
  };
  return { ...run, identity: runIdentity(run) };
}

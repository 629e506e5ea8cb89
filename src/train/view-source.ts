/** Where a run's views and the teacher's answers to them come from, and how much memory they take. */
import type { PixelSize } from '../data/rgb-image.ts';
import { decoderVersions } from '../data/decoder-versions.ts';
import { isClassifier } from '../model/detector.ts';
import { needsHeads, readsDetections } from '../loss/distillation-options.ts';
import { outputAnswer } from '../teach/answers.ts';
import type { ViewSource } from './batch-loader.ts';
import { classifierOf } from './classifier-options.ts';
import type { PreparedRun } from './prepare-run.ts';
import type { ViewSchedule } from './view-index.ts';

const textOf = (value: unknown): string => (typeof value === 'string' ? value : 'unknown');

/** The size of each sample's views in rectangular groups. */
function rectShapes(groups: PreparedRun['rect']): readonly PixelSize[] | undefined {
  if (groups === undefined) return undefined;
  const shapes: PixelSize[] = [];
  for (const { indices, width, height } of groups) for (const i of indices) shapes[i] = { width, height };
  return shapes;
}

/** Whether some term of a run reads what the teacher's head answers. */
const needsOutput = (run: PreparedRun): boolean => {
  const classifier = classifierOf(run);
  if (classifier !== undefined) return classifier.kind !== 'none';
  return needsHeads(run.distillation, run.cache?.teacher.detections !== undefined);
};

/** The source of a run's views: its cache's, or drawn as it goes. */
export function viewSource(run: PreparedRun): ViewSource {
  const { cache, options, augmentation, distillation, graph } = run;
  if (cache === undefined) {
    return { kind: 'drawn', augmentation, seed: options.seed, shapes: rectShapes(run.rect) };
  }
  const hasDetections = cache.teacher.detections !== undefined;
  const recorded = cache.teacher.provenance;
  const current = decoderVersions();
  return {
    kind: 'cached',
    cache: cache.reader,
    output: needsOutput(run) ? outputAnswer(graph.head) : undefined,
    detections: hasDetections && readsDetections(distillation),
    features: [...new Set(distillation.hints.map((hint) => hint.teacher))],
    recorded: Object.fromEntries(Object.keys(current).map((name) => [name, textOf(recorded[name])])),
    current,
  };
}

/** Which view each pass of a run sees. */
export function viewSchedule({ cache, options, closeMosaic }: PreparedRun): ViewSchedule {
  const { epochs, imageWeights } = options;
  // Draws of one epoch see different views; a view an epoch is what fresh ones are.
  const fresh = imageWeights ? epochs : 0;
  const views = cache?.teacher.views ?? (options.views > 0 ? options.views : fresh);
  return { views, closed: closeMosaic, epochs };
}

/** Values of the teacher's answers to one view that a batch holds. */
export function teacherValues(run: PreparedRun): number {
  const { cache, graph, options, distillation } = run;
  if (cache === undefined) return 0;
  const { strides, na, no } = graph.head;
  const cells = isClassifier(graph.head) ? [1] : strides.map((s) => (options.imgsz / s) ** 2);
  const heads = needsOutput(run) ? cells.reduce((sum, n) => sum + n * na * no, 0) : 0;
  const features = distillation.hints.reduce((sum, { teacher }) => {
    const side = options.imgsz / (cache.teacher.layerStrides[teacher] ?? 1);
    return sum + side * side * (cache.teacher.layerChannels[teacher] ?? 0);
  }, 0);
  return heads + features;
}

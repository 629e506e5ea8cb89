/** Test images with the boxes of labels, teacher and student, for a run's report. */
import { decodeImage } from '../data/decode-image.ts';
import type { Dataset, Sample } from '../data/sample.ts';
import type { Engine } from '../engine/engine.ts';
import { evaluateModel } from '../evaluate/evaluate-model.ts';
import type { Detection } from '../metric/box.ts';
import { labelBoxes } from '../metric/label-boxes.ts';
import type { InferenceModel } from '../model/inference.ts';
import {
  annotationBoxes,
  detectionBoxes,
  LABEL_BOX,
  STUDENT_BOX,
  TEACHER_BOX,
  type BoxKind,
} from './box-kind.ts';
import { composeMosaic, mosaicDataUri, type MosaicTile } from './mosaic.ts';
import type { ReportPicture } from './report-input.ts';

/** Images shown, and the lowest score of a box that is drawn. */
const IMAGES = 8;
const SHOWN_SCORE = 0.25;

type Found = ReadonlyMap<number, readonly Detection[]>;

/** Labelled samples spread evenly over the data set, at most `count`. */
export function spreadSamples(samples: readonly Sample[], count = IMAGES): Sample[] {
  const labelled = samples.filter(({ labels }) => labels !== undefined);
  const shown = Math.min(count, labelled.length);
  return Array.from({ length: shown }, (_, i) => labelled[Math.floor((i * labelled.length) / shown)]).flatMap(
    (sample) => sample ?? [],
  );
}

export interface FindOptions {
  readonly model: InferenceModel;
  readonly engine: Engine;
  readonly dataset: Dataset;
  readonly samples: readonly Sample[];
  readonly imageSize: number;
  readonly signal?: AbortSignal | undefined;
}

/** What a model finds on `samples`, by sample index: scores of at least 0.25, NMS at 0.45. */
export async function findForMosaic(options: FindOptions): Promise<Found> {
  const { samples, dataset, ...rest } = options;
  const { detections } = await evaluateModel({
    ...rest,
    dataset: { ...dataset, samples },
    confThreshold: SHOWN_SCORE,
    iouThreshold: 0.45,
    maxDetections: 100,
    keepDetections: samples.map(({ index }) => index),
  });
  return detections;
}

/** The mosaic of `samples`; boxes in pixels of the original images. Throws E_IMAGE, E_FILE. */
export async function runMosaic(
  samples: readonly Sample[],
  names: readonly string[],
  found: { readonly teacher?: Found | undefined; readonly student?: Found | undefined },
): Promise<ReportPicture> {
  const models = [
    [found.teacher, TEACHER_BOX],
    [found.student, STUDENT_BOX],
  ] as const;
  const drawn = models.flatMap(([detections, kind]): { detections: Found; kind: BoxKind }[] =>
    detections === undefined ? [] : [{ detections, kind }],
  );
  const tiles: MosaicTile[] = [];
  for (const sample of samples) {
    const { pixels, width, height } = await decodeImage(sample.file);
    const truth = labelBoxes(sample.labels ?? [], { width, height });
    const boxes = [
      ...annotationBoxes(truth, names),
      ...drawn.flatMap(({ detections, kind }) =>
        detectionBoxes(detections.get(sample.index) ?? [], names, kind),
      ),
    ];
    tiles.push({ pixels, width, height, boxes, caption: sample.path });
  }
  const kinds = [LABEL_BOX, ...drawn.map(({ kind }) => kind)];
  const mosaic = await composeMosaic(tiles, { kinds });
  const { width, height } = mosaic;
  const caption =
    `${tiles.length} images of the split that was measured: boxes of ${kinds.map(({ name }) => name).join(', ')}; ` +
    `scores of at least ${SHOWN_SCORE}.`;
  return { caption, image: mosaicDataUri(mosaic), width, height };
}

/** One forward pass of the teacher: decoded views in, what is cached of each out. */
import * as tf from '@tensorflow/tfjs-core';
import { encodeView } from '../augment/view-codec.ts';
import { elementsOf, type FloatBlob, type Target } from '../cache/target.ts';
import { writePixels } from '../data/unit-pixels.ts';
import type { DecodedView } from '../data/view.ts';
import { SoftshardError } from '../errors.ts';
import type { InferenceModel } from '../model/inference.ts';
import { DETECTIONS_KIND, featureKind, headBlob } from './answers.ts';
import { teacherDetections, type DetectionAnswers } from './teacher-detections.ts';

export interface Teacher {
  readonly model: Pick<InferenceModel, 'forward'>;
  /** Views a forward pass, always: what is missing is filled with the last view. */
  readonly teachBatch: number;
  /** Layers whose outputs are cached beside the heads. */
  readonly hints: readonly number[];
  /** Given, detections are cached in place of the heads. */
  readonly detections?: DetectionAnswers | undefined;
}

/** Cuts image `index` of a batched tensor's values. */
const answerOf = (values: Float32Array, shape: readonly number[], index: number): FloatBlob => {
  const size = elementsOf(shape);
  return { shape, data: values.slice(index * size, (index + 1) * size) };
};

function refuseNonFinite(name: string, { data }: FloatBlob, { record }: DecodedView): void {
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) continue;
    throw new SoftshardError('E_DIVERGED', {
      message: 'The teacher answered with a value that is not finite.',
      where: `sample ${record.sample}, view ${record.view}, ${name}`,
      expected: 'finite logits and features',
      found: String(data[i]),
      remedy: 'Check the teacher: softshard evaluate --weights FILE.',
    });
  }
}

/** Takes the heads out of a view's answers. */
function takeHeads(blobs: Map<string, FloatBlob>, levels: number): FloatBlob[] {
  return Array.from({ length: levels }, (_, level) => {
    const head = blobs.get(headBlob(level));
    if (head === undefined) throw new Error(`no head ${level}`);
    blobs.delete(headBlob(level));
    return head;
  });
}

/**
 * The answers to at most `teachBatch` views of one size, in their order. Throws E_DIVERGED naming view and blob when
 * one is not finite.
 */
export function answerViews(
  { model, teachBatch, hints, detections }: Teacher,
  views: readonly Pick<DecodedView, 'record' | 'pixels' | 'pixelDigest' | 'labels'>[],
): Target[] {
  const [first] = views;
  if (first === undefined) return [];
  const { width, height } = first.record;
  const pixels = new Float32Array(teachBatch * width * height * 3);
  for (let i = 0; i < teachBatch; i++) {
    writePixels((views[Math.min(i, views.length - 1)] ?? first).pixels, pixels, i);
  }
  const x = tf.tensor4d(pixels, [teachBatch, height, width, 3]);
  const { heads, features } = model.forward(x, hints);
  const named = [
    ...heads.map((tensor, level) => [headBlob(level), tensor] as const),
    ...[...features].map(([layer, tensor]) => [featureKind(layer), tensor] as const),
  ].map(([name, tensor]) => ({
    name,
    shape: tensor.shape.slice(1),
    values: tensor.dataSync<'float32'>(),
  }));
  tf.dispose([x, ...heads, ...features.values()]);
  return views.map((view, i) => {
    const blobs = new Map<string, FloatBlob>();
    for (const { name, shape, values } of named) {
      const blob = answerOf(values, shape, i);
      refuseNonFinite(name, blob, view);
      blobs.set(name, blob);
    }
    if (detections !== undefined) {
      const found = teacherDetections(takeHeads(blobs, heads.length), detections);
      blobs.set(DETECTIONS_KIND, found);
    }
    const { record, pixelDigest } = view;
    const { sample, view: index } = record;
    return { sample, view: index, inputDigest: pixelDigest, record: encodeView(record), blobs };
  });
}

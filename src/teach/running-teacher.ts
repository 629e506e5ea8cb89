/** A teacher that is ready to answer, whatever computes it. */
import * as tf from '@tensorflow/tfjs-core';
import { writePixels } from '../data/unit-pixels.ts';
import type { InferenceModel } from '../model/inference.ts';
import { isClassifier } from '../model/detector.ts';
import { featureKind, headBlob, LOGITS_KIND } from './answers.ts';

/** One named answer to a batch of views. */
export interface BatchAnswer {
  /** Name of the blob. */
  readonly name: string;
  /** Of one view. */
  readonly shape: readonly number[];
  /** Float32 values of all views, one after another. */
  readonly values: Float32Array;
}

export interface RunningTeacher {
  /** Answers to a batch of images, [height, width, 3] uint8 RGB each. */
  answer(
    images: readonly Uint8Array[],
    size: { readonly width: number; readonly height: number },
  ): readonly BatchAnswer[] | Promise<readonly BatchAnswer[]>;
  dispose(): void | Promise<void>;
}

/** A model on the engine of this process as a teacher; `hints` are the layers whose outputs it answers too. */
export const engineTeacher = (
  model: Pick<InferenceModel, 'forward'> & Partial<Pick<InferenceModel, 'head'>>,
  hints: readonly number[],
): Pick<RunningTeacher, 'answer'> => ({
  answer: (images, { width, height }) => {
    const pixels = new Float32Array(images.length * width * height * 3);
    images.forEach((image, i) => writePixels(image, pixels, i));
    const x = tf.tensor4d(pixels, [images.length, height, width, 3]);
    const { heads, features } = model.forward(x, hints);
    const classifies = model.head !== undefined && isClassifier(model.head);
    const named = [
      ...heads.map((tensor, level) =>
        classifies
          ? ([LOGITS_KIND, tensor, tensor.shape.slice(-1)] as const)
          : ([headBlob(level), tensor, tensor.shape.slice(1)] as const),
      ),
      ...[...features].map(([layer, tensor]) => [featureKind(layer), tensor, tensor.shape.slice(1)] as const),
    ].map(([name, tensor, shape]) => ({ name, shape, values: tensor.dataSync<'float32'>() }));
    tf.dispose([x, ...heads, ...features.values()]);
    return named;
  },
});

/** The same teacher; `onBusy` is told how long each batch took, in the unit of `now`. */
export const busyTeacher = (
  teacher: Pick<RunningTeacher, 'answer'>,
  now: () => number,
  onBusy: (time: number) => void,
): Pick<RunningTeacher, 'answer'> => ({
  answer: async (images, size) => {
    const began = now();
    const answers = await teacher.answer(images, size);
    onBusy(now() - began);
    return answers;
  },
});

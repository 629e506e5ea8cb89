/** From a batch of pixels to detections in pixels of the original images. */
import * as tf from '@tensorflow/tfjs-core';
import { candidates, type HeadLevel } from '../metric/box-decode.ts';
import type { Detection } from '../metric/box.ts';
import { nonMaxSuppression, type NmsOptions } from '../metric/nms.ts';
import { scaleBoxes } from '../metric/scale-boxes.ts';
import type { InferenceModel } from '../model/inference.ts';
import type { LoadedBatch } from './evaluation-batch.ts';

/** Raw heads of a batch on the host, one a level: [B, ny, nx, na, no] float32. */
export interface BatchHeads {
  readonly ny: number;
  readonly nx: number;
  readonly data: Float32Array;
}

/** One forward pass; everything on the device is freed. */
export function headsOf(model: InferenceModel, batch: LoadedBatch): BatchHeads[] {
  const x = tf.tensor4d(batch.pixels, [batch.samples.length, batch.height, batch.width, 3]);
  try {
    const { heads, features } = model.forward(x);
    try {
      return heads.map((head) => ({
        ny: head.shape[1],
        nx: head.shape[2],
        data: head.dataSync<'float32'>(),
      }));
    } finally {
      tf.dispose([...heads, ...features.values()]);
    }
  } finally {
    x.dispose();
  }
}

/** Detections of image `i` of a batch, in descending score order, in pixels of the original image. */
export function detectionsOf(
  model: Pick<InferenceModel, 'head'>,
  heads: readonly BatchHeads[],
  batch: LoadedBatch,
  i: number,
  options: NmsOptions,
): Detection[] {
  const { head } = model;
  const levels = heads.map(({ ny, nx, data }): HeadLevel => {
    const length = ny * nx * head.na * head.no;
    return { ny, nx, data: data.subarray(i * length, (i + 1) * length) };
  });
  const found = nonMaxSuppression(candidates(levels, head, options.confThreshold), head.nc, options);
  const sample = batch.samples[i];
  const placement = batch.placements[i];
  if (sample === undefined || placement === undefined) throw new Error(`the batch has no image ${i}`);
  return scaleBoxes(found, batch, sample, placement.ratioPad);
}

/** A batch on the host, and what of it goes to the device. */
import * as tf from '@tensorflow/tfjs-core';
import type { DecodedView } from '../data/view.ts';
import type { LossTarget } from '../loss/loss.ts';

/** Answers of the teacher to the views of a batch, by blob name: one array of all views, and the shape of one. */
export interface HostAnswer {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface HostBatch {
  readonly size: number;
  readonly height: number;
  readonly width: number;
  /** float32 RGB [B, H, W, 3] in 0...1. */
  readonly pixels: Float32Array;
  /** Rows (image in batch, class, cx, cy, w, h), [T,6]. */
  readonly labels: Float32Array;
  readonly labelled: readonly boolean[];
  readonly heads: readonly HostAnswer[];
  /** Objectness logits of each head, [B * ny * nx * na]. */
  readonly objectness: readonly Float32Array[];
  readonly features: ReadonlyMap<number, HostAnswer>;
  /** Rows of `pseudoLabels`, where detections are cached. */
  readonly detections?: Float32Array;
}

/** The label rows of views, numbered by their position; float32. */
export function labelRows(views: readonly Pick<DecodedView, 'labels'>[]): Float32Array {
  return Float32Array.from(
    views.flatMap(({ labels }, image) =>
      (labels ?? []).flatMap(({ classIndex, cx, cy, w, h }) => [image, classIndex, cx, cy, w, h]),
    ),
  );
}

/** A batch on the device; `dispose` frees it. */
export interface DeviceBatch {
  readonly x: tf.Tensor4D;
  readonly target: LossTarget;
  dispose(): void;
}

/** Puts a batch on the device. `detections` finds the teacher's in its heads, where a loss learns from them. */
export function toDevice(batch: HostBatch, detections?: (batch: HostBatch) => Float32Array): DeviceBatch {
  const { size, height, width } = batch;
  const x = tf.tensor4d(batch.pixels, [size, height, width, 3]);
  const heads = batch.heads.map(({ shape, data }) => {
    const [ny = 0, nx = 0, na = 0, no = 0] = shape;
    return tf.tensor5d(data, [size, ny, nx, na, no]);
  });
  const features = new Map(
    [...batch.features].map(([layer, { shape, data }]) => {
      const [h = 0, w = 0, c = 0] = shape;
      return [layer, tf.tensor4d(data, [size, h, w, c])] as const;
    }),
  );
  const rows = batch.detections ?? detections?.(batch);
  const hasTeacher = heads.length > 0 || features.size > 0 || rows !== undefined;
  return {
    x,
    target: {
      labels: batch.labels,
      labelled: batch.labelled,
      ...(hasTeacher
        ? {
            teacher: {
              heads,
              teacherObjectness: batch.objectness,
              features,
              ...(rows === undefined ? {} : { rows }),
            },
          }
        : {}),
    },
    dispose: () => tf.dispose([x, ...heads, ...features.values()]),
  };
}

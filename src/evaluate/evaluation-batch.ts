/** Which images are measured together, at which shape, and what their pixels are. */
import { decodeImage } from '../data/decode-image.ts';
import { letterboxGeometry, letterboxPixels } from '../data/letterbox.ts';
import { resizeForLoad } from '../data/load-size.ts';
import { mapBounded } from '../data/map-bounded.ts';
import type { Sample } from '../data/sample.ts';
import { writePixels } from '../data/unit-pixels.ts';
import type { Size } from '../metric/box.ts';
import { rectBatches } from '../metric/rect-batches.ts';
import type { RatioPad } from '../metric/scale-boxes.ts';

export interface BatchingOptions {
  /** The longer side that an image is loaded at, pixels; a multiple of the stride. */
  readonly imageSize: number;
  /** Images a batch, >= 1. */
  readonly batchSize: number;
  /** Images of like aspect together, each batch as small as they allow; else all square, in the data set's order. */
  readonly rect: boolean;
  /** Largest stride of the model, pixels. */
  readonly stride: number;
}

/** Images that go through the network together, at one shape. */
export interface EvaluationBatch extends Size {
  readonly samples: readonly Sample[];
}

/** Cuts `samples` into batches. */
export function evaluationBatches(samples: readonly Sample[], options: BatchingOptions): EvaluationBatch[] {
  const { imageSize, batchSize, rect, stride } = options;
  if (rect) {
    return rectBatches(samples, { batchSize, imageSize, stride }).map(({ indices, width, height }) => ({
      width,
      height,
      samples: indices.flatMap((i) => samples[i] ?? []),
    }));
  }
  return Array.from({ length: Math.ceil(samples.length / batchSize) }, (_, b) => ({
    width: imageSize,
    height: imageSize,
    samples: samples.slice(b * batchSize, (b + 1) * batchSize),
  }));
}

/** How one image lies on the network's input. */
export interface Placement {
  /** Original to loaded image, and the pads: what maps boxes back. */
  readonly ratioPad: RatioPad;
  /** Size of the image inside the canvas, before padding, not rounded. */
  readonly inner: Size;
}

/** A batch's pixels on the host. */
export interface LoadedBatch extends EvaluationBatch {
  /** float32 RGB [B, height, width, 3] in 0...1. */
  readonly pixels: Float32Array;
  /** One an image. */
  readonly placements: readonly Placement[];
}

/** Images decoded at once: libuv's threads. */
const DECODES = 4;

/**
 * Decodes a batch as YOLOv5's validation does: the longer side to `imageSize` (areas averaged when shrinking), then
 * centred on the batch's shape without enlarging. Throws E_IMAGE, E_FILE, E_ABORTED.
 */
export async function loadEvaluationBatch(
  batch: EvaluationBatch,
  imageSize: number,
  signal?: AbortSignal,
): Promise<LoadedBatch> {
  const pixels = new Float32Array(batch.samples.length * batch.height * batch.width * 3);
  const placements = await mapBounded(batch.samples, { concurrency: DECODES, signal }, async (sample, i) => {
    const original = await decodeImage(sample.file);
    const loaded = resizeForLoad(original, { imageSize, augment: false });
    const geometry = letterboxGeometry(loaded, batch, { auto: false, scaleUp: false });
    writePixels(letterboxPixels(loaded, geometry).pixels, pixels, i);
    const { ratio, padX, padY } = geometry;
    return {
      ratioPad: { gain: loaded.height / original.height, padX, padY },
      inner: { width: loaded.width * ratio, height: loaded.height * ratio },
    };
  });
  return { ...batch, pixels, placements };
}

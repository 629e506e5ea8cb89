/** A teacher's detections as labels, with what it thought of every class. */
import { candidateCells, decodeCells, type HeadLevel } from '../metric/box-decode.ts';
import { keptRows } from '../metric/nms.ts';
import type { HeadSpec } from '../model/detector.ts';

/** Which of the teacher's detections become labels. */
export interface PseudoLabelOptions {
  /** Objectness and score (objectness times class probability) must exceed it, 0...1. */
  readonly confidence: number;
  /** A detection is dropped where a better one of its class overlaps it by more than this, 0...1. */
  readonly iou: number;
  /** Detections kept an image, best first, >= 1. */
  readonly maxDetections: number;
}

/** `options` with the defaults: confidence 0.1, overlap 0.3, 300 detections an image. */
export const pseudoLabelOptions = ({
  confidence = 0.1,
  iou = 0.3,
  maxDetections = 300,
}: {
  readonly [name in keyof PseudoLabelOptions]?: number | undefined;
}): PseudoLabelOptions => ({ confidence, iou, maxDetections });

/** One level's raw logits of a whole batch on the host: [B, ny, nx, na, no] flattened; `shape` is that of one image. */
export interface HostHead {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/**
 * The label rows of a batch, [R, 6 + nc] flattened: image in the batch, class, cx, cy, w, h (normalised to the
 * network's input and clipped to it), and the raw class logits of the row that the detection was made of. By image,
 * best detection first.
 *
 * Scores are the product of two probabilities, each sigmoid applied once, and boxes keep their fractions of a pixel.
 * Rows are all a student needs: a few KB an image. Throws E_USAGE on an option out of range.
 */
export function pseudoLabels(
  heads: readonly HostHead[],
  batch: number,
  spec: HeadSpec,
  { confidence, iou, maxDetections }: PseudoLabelOptions,
): Float32Array {
  const rows: number[] = [];
  const [ny = 0, nx = 0] = heads[0]?.shape ?? [];
  const [width, height] = [nx, ny].map((cells) => cells * (spec.strides[0] ?? NaN)) as [number, number];
  for (let image = 0; image < batch; image++) {
    const levels = heads.map(({ shape, data }): HeadLevel => {
      const size = data.length / batch;
      const [levelNy = 0, levelNx = 0] = shape;
      return { data: data.subarray(image * size, (image + 1) * size), ny: levelNy, nx: levelNx };
    });
    const cells = candidateCells(levels, spec, confidence);
    const decoded = decodeCells(levels, spec, cells);
    const kept = keptRows(decoded, spec.nc, {
      confThreshold: confidence,
      iouThreshold: iou,
      maxDetections,
    });
    for (const { x1, y1, x2, y2, classIndex, row } of kept) {
      const cell = cells[row];
      const level = cell === undefined ? undefined : levels[cell.level];
      if (cell === undefined || level === undefined) continue;
      const clip = (value: number, size: number): number => Math.min(Math.max(value / size, 0), 1);
      const [left, top, right, bottom] = [
        clip(x1, width),
        clip(y1, height),
        clip(x2, width),
        clip(y2, height),
      ];
      if (right <= left || bottom <= top) continue;
      rows.push(image, classIndex, (left + right) / 2, (top + bottom) / 2, right - left, bottom - top);
      rows.push(...level.data.subarray(cell.offset + 5, cell.offset + spec.no));
    }
  }
  return Float32Array.from(rows);
}

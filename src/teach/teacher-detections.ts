/** The teacher's detections in one view, as they are cached. */
import type { FloatBlob } from '../cache/target.ts';
import { pseudoLabels, type HostHead, type PseudoLabelOptions } from '../loss/pseudo-labels.ts';
import type { HeadSpec } from '../model/detector.ts';

/** Which detections a teacher's cache holds in place of its heads. */
export interface DetectionAnswers {
  readonly head: HeadSpec;
  readonly selection: PseudoLabelOptions;
}

/** Detections out of the raw heads of ONE view: [R, 5 + nc], the rows of `pseudoLabels` without the image's number. */
export function teacherDetections(
  heads: readonly HostHead[],
  { head, selection }: DetectionAnswers,
): FloatBlob {
  const rows = pseudoLabels(heads, 1, head, selection);
  const [whole, width] = [6 + head.nc, 5 + head.nc];
  const count = rows.length / whole;
  const data = new Float32Array(count * width);
  for (let r = 0; r < count; r++) data.set(rows.subarray(r * whole + 1, (r + 1) * whole), r * width);
  return { shape: [count, width], data };
}

/** Rows of `pseudoLabels` for a batch out of the cached detections of its views, in their order. */
export function batchDetections(views: readonly FloatBlob[]): Float32Array {
  const rows = views.flatMap(({ shape, data }, image) => {
    const [count = 0, width = 0] = shape;
    return Array.from({ length: count }, (_, r) => [image, ...data.subarray(r * width, (r + 1) * width)]);
  });
  return Float32Array.from(rows.flat());
}

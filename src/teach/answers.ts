/** Names of a teacher's answers in a cache. */
import { isClassifier, type HeadSpec } from '../model/detector.ts';

/** Kind of the raw heads: blobs `head.0`, `head.1`, ..., each [ny, nx, na, no] float32 logits in grid layout. */
export const HEADS_KIND = 'heads';

/** Blob of one level's raw head. */
export const headBlob = (level: number): string => `head.${level}`;

/**
 * Kind, and only blob, of the detections after non-maximum suppression: [R, 5 + nc] float32, best first, rows of class,
 * cx, cy, w, h (0...1 of the view) and raw class logits. R differs from view to view.
 */
export const DETECTIONS_KIND = 'detections';

/** Kind, and only blob, of a classifier's raw class logits: [nc] float32. */
export const LOGITS_KIND = 'logits';

/** The kind and the blobs of what a head answers: `heads` of a detector, `logits` of a classifier. */
export const outputAnswer = (
  head: Pick<HeadSpec, 'task' | 'strides'>,
): { readonly kind: string; readonly blobs: string[] } =>
  isClassifier(head)
    ? { kind: LOGITS_KIND, blobs: [LOGITS_KIND] }
    : { kind: HEADS_KIND, blobs: head.strides.map((_, level) => headBlob(level)) };

/** Kind, and only blob, of the output of the teacher's layer `layer`: [h, w, c] float32. */
export const featureKind = (layer: number): string => `feature.${layer}`;

/** Kind, and only blob, of a view's pixels: [h, w, 3] uint8 RGB. */
export const PIXELS_KIND = 'pixels';

/**
 * Kind of a view's labels beside its pixels. Blobs: `labels`, [n, 5] float32 (class index, then cx, cy, w, h normalised
 * to the view), and `labelled`, [1] float32: 1 where the view is annotated, so that no label means nothing there, and 0
 * where nobody annotated it.
 */
export const LABELS_KIND = 'labels';

/** The blob that tells an empty view from one that nobody annotated. */
export const LABELLED_BLOB = 'labelled';

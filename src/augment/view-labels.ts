/** Carries the boxes of a view's samples through its composition, warp and flips (YOLOv5 v7.0's arithmetic). */
import type { BoxLabel } from '../data/sample.ts';
import type { Composition, Matrix3, PlacedImage, ViewLabel, ViewRecord } from '../data/view.ts';
import type { PixelSize } from '../data/rgb-image.ts';
import { isProjective } from './matrix3.ts';

/** A box by two corners, pixels. */
interface CornerBox {
  readonly classIndex: number;
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

/** What is known about a sample: its boxes, or undefined when it has no annotation. */
export type LabelsOf = (sample: number) => readonly BoxLabel[] | undefined;

const clip = (value: number, limit: number): number => Math.min(Math.max(value, 0), limit);

const clipBox = (box: CornerBox, width: number, height: number): CornerBox => ({
  classIndex: box.classIndex,
  x1: clip(box.x1, width),
  y1: clip(box.y1, height),
  x2: clip(box.x2, width),
  y2: clip(box.y2, height),
});

/** Normalised centre and size to canvas pixels. */
function onCanvas(label: BoxLabel, { boxScale, boxShift }: PlacedImage): CornerBox {
  return {
    classIndex: label.classIndex,
    x1: boxScale[0] * (label.cx - label.w / 2) + boxShift[0],
    y1: boxScale[1] * (label.cy - label.h / 2) + boxShift[1],
    x2: boxScale[0] * (label.cx + label.w / 2) + boxShift[0],
    y2: boxScale[1] * (label.cy + label.h / 2) + boxShift[1],
  };
}

/** The upright box around the four warped corners. */
function warpBox(box: CornerBox, m: Matrix3): CornerBox {
  const projective = isProjective(m);
  const corners = [
    [box.x1, box.y1],
    [box.x2, box.y2],
    [box.x1, box.y2],
    [box.x2, box.y1],
  ] as const;
  const warped = corners.map(([x, y]) => {
    const w = projective ? m[6] * x + m[7] * y + m[8] : 1;
    return [(m[0] * x + m[1] * y + m[2]) / w, (m[3] * x + m[4] * y + m[5]) / w] as const;
  });
  const xs = warped.map(([x]) => x);
  const ys = warped.map(([, y]) => y);
  return {
    classIndex: box.classIndex,
    x1: Math.min(...xs),
    y1: Math.min(...ys),
    x2: Math.max(...xs),
    y2: Math.max(...ys),
  };
}

/**
 * Whether a box is worth keeping: more than 2 pixels wide and high, more than 0.1 of its area (after zoom) left by
 * clipping, and no side 100 times the other.
 */
export function keepsBox(before: CornerBox, after: CornerBox, zoom: number): boolean {
  const w1 = (before.x2 - before.x1) * zoom;
  const h1 = (before.y2 - before.y1) * zoom;
  const w2 = after.x2 - after.x1;
  const h2 = after.y2 - after.y1;
  return (
    w2 > 2 &&
    h2 > 2 &&
    (w2 * h2) / (w1 * h1 + 1e-16) > 0.1 &&
    Math.max(w2 / (h2 + 1e-16), h2 / (w2 + 1e-16)) < 100
  );
}

/** Boxes of one composition in output pixels, image by image; undefined when any of its samples is unlabelled. */
function compositionBoxes(
  composition: Composition,
  size: PixelSize,
  labelsOf: LabelsOf,
): readonly CornerBox[] | undefined {
  const boxes: CornerBox[] = [];
  for (const image of composition.images) {
    const labels = labelsOf(image.sample);
    if (labels === undefined) return undefined;
    for (const label of labels) {
      const placed = onCanvas(label, image);
      const before =
        composition.kind === 'letterbox'
          ? placed
          : clipBox(placed, composition.canvasWidth, composition.canvasHeight);
      const warped = composition.matrix === undefined ? before : warpBox(before, composition.matrix);
      const after = clipBox(warped, size.width, size.height);
      if (keepsBox(before, after, composition.warpScale)) boxes.push(after);
    }
  }
  return boxes;
}

/** Pixels to normalised centre and size, clipped to 1e-3 pixels inside the far edges, then flipped. */
function normalised(box: CornerBox, record: ViewRecord): ViewLabel {
  const { width, height } = record;
  const { classIndex, x1, y1, x2, y2 } = clipBox(box, width - 1e-3, height - 1e-3);
  const cx = (x1 + x2) / 2 / width;
  const cy = (y1 + y2) / 2 / height;
  return {
    classIndex,
    cx: record.flipHorizontal ? 1 - cx : cx,
    cy: record.flipVertical ? 1 - cy : cy,
    w: (x2 - x1) / width,
    h: (y2 - y1) / height,
  };
}

/**
 * The labels of a view: those of its images in composition order, then those mixed in, unweighted; boxes that
 * `keepsBox` refuses are dropped, also without a warp. Undefined when any sample that the view shows is unlabelled:
 * there may be objects that nobody marked, so the view as a whole is unlabelled.
 */
export function viewLabels(record: ViewRecord, labelsOf: LabelsOf): readonly ViewLabel[] | undefined {
  const first = compositionBoxes(record.composition, record, labelsOf);
  const second =
    record.mixup === undefined ? [] : compositionBoxes(record.mixup.composition, record, labelsOf);
  if (first === undefined || second === undefined) return undefined;
  return [...first, ...second].map((box) => normalised(box, record));
}

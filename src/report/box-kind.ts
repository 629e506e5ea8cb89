/** Whose boxes a mosaic shows: colours and line styles that any colour vision tells apart. */
import type { Box, Detection, TrueBox } from '../metric/box.ts';

export interface BoxKind {
  /** As the legend names it. */
  readonly name: string;
  /** `#rrggbb`. */
  readonly colour: string;
  /** Width of the line, pixels. */
  readonly lineWidth: number;
  /** Lengths of dashes and gaps, pixels; solid without. */
  readonly dash?: readonly number[];
}

/** The annotation: white, solid. */
export const LABEL_BOX: BoxKind = { name: 'label', colour: '#ffffff', lineWidth: 3 };
/** The teacher: blue, dashed. */
export const TEACHER_BOX: BoxKind = { name: 'teacher', colour: '#42b0ff', lineWidth: 2, dash: [9, 5] };
/** The student: amber, dotted. */
export const STUDENT_BOX: BoxKind = { name: 'student', colour: '#ffb000', lineWidth: 2, dash: [2.5, 3.5] };

/** A box to draw on a tile, in the tile's pixels, with the small text beside it. */
export interface DrawnBox extends Box {
  readonly kind: BoxKind;
  readonly text: string;
}

/** Boxes of a model's detections: class name and score with two digits. */
export const detectionBoxes = (
  detections: readonly Detection[],
  names: readonly string[],
  kind: BoxKind,
): DrawnBox[] =>
  detections.map(({ x1, y1, x2, y2, score, classIndex }) => {
    const text = `${names[classIndex] ?? String(classIndex)} ${score.toFixed(2)}`;
    return { x1, y1, x2, y2, kind, text };
  });

/** Boxes of an annotation: class names. */
export const annotationBoxes = (
  labels: readonly TrueBox[],
  names: readonly string[],
  kind: BoxKind = LABEL_BOX,
): DrawnBox[] =>
  labels.map(({ x1, y1, x2, y2, classIndex }) => {
    return { x1, y1, x2, y2, kind, text: names[classIndex] ?? String(classIndex) };
  });

/** Boxes of evaluation: corners in pixels of one image, network input or original, as the caller says. */

/** An axis-aligned box by its corners, pixels; x1 <= x2 and y1 <= y2 for a box that has an area. */
export interface Box {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

/** What a model found: a box with its class and its score (objectness times class probability, 0…1). */
export interface Detection extends Box {
  readonly score: number;
  readonly classIndex: number;
}

/** What an annotation says is there. */
export interface TrueBox extends Box {
  readonly classIndex: number;
}

/** A picture's size, pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A sample seen through one realised augmentation. The record replays the view exactly: no draw is repeated. */

/** An affine or projective 3x3 matrix, row by row, float64. */
export type Matrix3 = readonly [number, number, number, number, number, number, number, number, number];

/**
 * One source image placed on a canvas: resized bilinearly to w x h when it is loaded, then to `fit` where the letterbox
 * asks for another size, and a crop of the result copied to the canvas rectangle (x1a…y2a).
 */
export interface PlacedImage {
  readonly sample: number;
  /** Size after the load-time resize, pixels. */
  readonly w: number;
  readonly h: number;
  /** [width, height] after the letterbox's own resize; undefined where that changes nothing. */
  readonly fit?: readonly [number, number];
  /** Canvas rectangle [x1, y1, x2, y2) and source offset [x, y], pixels. */
  readonly canvas: readonly [number, number, number, number];
  readonly source: readonly [number, number];
  /** Canvas pixels of normalised label coordinates: x * boxScale[0] + boxShift[0], y likewise (may be fractional). */
  readonly boxScale: readonly [number, number];
  readonly boxShift: readonly [number, number];
}

/** One composed picture before colour and flips: letterboxed single image, or a mosaic, warped by `matrix`. */
export interface Composition {
  readonly kind: 'letterbox' | 'mosaic4' | 'mosaic9';
  /** Side lengths of the canvas before the warp, pixels. */
  readonly canvasWidth: number;
  readonly canvasHeight: number;
  readonly images: readonly PlacedImage[];
  /** Forward matrix from canvas to output pixels; undefined when nothing is warped. */
  readonly matrix?: Matrix3;
  /** The scale drawn for the warp (1 when none): the box filter compares against boxes scaled by it. */
  readonly warpScale: number;
}

/** Everything a view drew, as final values. */
export interface ViewRecord {
  /** Sample index in the data set and view index, both 0-based. */
  readonly sample: number;
  readonly view: number;
  /** Output size, pixels. */
  readonly width: number;
  readonly height: number;
  readonly composition: Composition;
  /** Second composition and the weight of the first, when mixed up. */
  readonly mixup?: { readonly lambda: number; readonly composition: Composition };
  /** Look-up tables' gains for hue, saturation, value; undefined when colour is left alone. */
  readonly hsv?: readonly [number, number, number];
  readonly flipVertical: boolean;
  readonly flipHorizontal: boolean;
}

/** A box in a view: class index and box normalised to the view, as the loss's targets want it. */
export interface ViewLabel {
  readonly classIndex: number;
  readonly cx: number;
  readonly cy: number;
  readonly w: number;
  readonly h: number;
}

/** A decoded view: pixels uint8 NHWC-row-major RGB [height, width, 3], and its labels (undefined when unknown). */
export interface DecodedView {
  readonly record: ViewRecord;
  readonly pixels: Uint8Array;
  readonly labels: readonly ViewLabel[] | undefined;
  /** Digest of `pixels`, 16 hex digits: the first 8 bytes of sha256. */
  readonly pixelDigest: string;
}

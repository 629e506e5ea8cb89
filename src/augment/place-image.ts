/** Where an image goes on a canvas: letterboxed alone, or as one of the four or nine of a mosaic. */
import { letterboxGeometry } from '../data/letterbox.ts';
import { loadSize } from '../data/load-size.ts';
import type { PixelSize } from '../data/rgb-image.ts';
import type { PlacedImage } from '../data/view.ts';

/** A sample and its size on disk, pixels. */
export interface SizedSample extends PixelSize {
  readonly sample: number;
}

/** The size after the load-time resize: longer side to `imageSize`, always bilinear (a view is an augmentation). */
const loaded = (image: PixelSize, imageSize: number): { readonly w: number; readonly h: number } => {
  const { width, height } = loadSize(image, { imageSize, augment: true });
  return { w: width, h: height };
};

/**
 * One image, its longer side loaded at `imageSize`, letterboxed into `shape` (a square of that size by default), enlarged
 * where it is smaller (YOLOv5 v7.0, training).
 */
export function placeLetterboxed(
  image: SizedSample,
  imageSize: number,
  shape: PixelSize = { width: imageSize, height: imageSize },
): PlacedImage {
  const { w, h } = loaded(image, imageSize);
  const box = letterboxGeometry({ width: w, height: h }, shape, { auto: false, scaleUp: true });
  const { left, top, resizedWidth, resizedHeight, ratio } = box;
  return {
    sample: image.sample,
    w,
    h,
    ...(resizedWidth === w && resizedHeight === h ? {} : { fit: [resizedWidth, resizedHeight] as const }),
    canvas: [left, top, left + resizedWidth, top + resizedHeight],
    source: [0, 0],
    boxScale: [ratio * w, ratio * h],
    boxShift: [box.padX, box.padY],
  };
}

/**
 * Image `position` (0 top left, 1 top right, 2 bottom left, 3 bottom right) of a mosaic that meets in (xc, yc) on a
 * square canvas of side 2 * imageSize: its nearest corner lies on the centre, what leaves the canvas is cut off.
 */
export function placeInMosaic(
  image: SizedSample,
  position: number,
  [xc, yc]: readonly [number, number],
  imageSize: number,
): PlacedImage {
  const { w, h } = loaded(image, imageSize);
  const side = 2 * imageSize;
  const atLeft = position % 2 === 0;
  const atTop = position < 2;
  const x1 = atLeft ? Math.max(xc - w, 0) : xc;
  const y1 = atTop ? Math.max(yc - h, 0) : yc;
  const x2 = atLeft ? xc : Math.min(xc + w, side);
  const y2 = atTop ? yc : Math.min(yc + h, side);
  const sourceX = atLeft ? w - (x2 - x1) : 0;
  const sourceY = atTop ? h - (y2 - y1) : 0;
  return {
    sample: image.sample,
    w,
    h,
    canvas: [x1, y1, x2, y2],
    source: [sourceX, sourceY],
    boxScale: [w, h],
    boxShift: [x1 - sourceX, y1 - sourceY],
  };
}

/** Side of the cells of a mosaic of nine: a third of its canvas, rounded up, so that they cover it. */
export const cellSide = (imageSize: number): number => Math.ceil((2 * imageSize) / 3);

/**
 * Image `position` (row by row, 0 top left, 4 the middle) of nine whose middle cell begins at (x, y) on a square canvas
 * of side 2 * imageSize. Its longer side is a cell's. Along each axis it lies against the middle cell, or in the middle
 * of it; what leaves the canvas is cut off.
 */
export function placeInNine(
  image: SizedSample,
  position: number,
  [x, y]: readonly [number, number],
  imageSize: number,
): PlacedImage {
  const side = 2 * imageSize;
  const cell = cellSide(imageSize);
  const { w, h } = loaded(image, cell);
  const begin = (place: number, middle: number, length: number): number =>
    place === 0 ? middle - length : place === 1 ? middle + ((cell - length) >> 1) : middle + cell;
  const left = begin(position % 3, x, w);
  const top = begin(Math.floor(position / 3), y, h);
  const [x1, y1] = [Math.max(left, 0), Math.max(top, 0)];
  return {
    sample: image.sample,
    w,
    h,
    canvas: [x1, y1, Math.max(x1, Math.min(left + w, side)), Math.max(y1, Math.min(top + h, side))],
    source: [x1 - left, y1 - top],
    boxScale: [w, h],
    boxShift: [left, top],
  };
}

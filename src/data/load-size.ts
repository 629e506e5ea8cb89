/** The resize that comes before everything else in the data set path: the longer side to the image size. */
import { resizeArea } from './resize-area.ts';
import { resizeBilinear } from './resize-bilinear.ts';
import type { PixelSize, RgbImage } from './rgb-image.ts';

export interface LoadSize extends PixelSize {
  /** How pixels are resampled; `none` when the longer side is right already. */
  readonly interpolation: 'none' | 'bilinear' | 'area';
}

export interface LoadOptions {
  /** Length that the longer side gets, pixels (`imgsz`). */
  readonly imageSize: number;
  /** Whether the image will be augmented: bilinear also when shrinking. */
  readonly augment: boolean;
}

/**
 * Size after the load-time resize: r = imageSize / longer side, sides cut to whole pixels (YOLOv5 v7.0; later heads
 * round up), at least 1. Shrinking without augmentation averages areas, everything else is bilinear.
 */
export function loadSize(original: PixelSize, options: LoadOptions): LoadSize {
  const r = options.imageSize / Math.max(original.width, original.height);
  if (r === 1) return { width: original.width, height: original.height, interpolation: 'none' };
  return {
    width: Math.max(1, Math.trunc(original.width * r)),
    height: Math.max(1, Math.trunc(original.height * r)),
    interpolation: options.augment || r > 1 ? 'bilinear' : 'area',
  };
}

/** Resizes a decoded image as `loadSize` says. Returns the image itself, uncopied, when nothing is to be done. */
export function resizeForLoad(image: RgbImage, options: LoadOptions): RgbImage {
  const size = loadSize(image, options);
  if (size.interpolation === 'none') return image;
  return size.interpolation === 'area' ? resizeArea(image, size) : resizeBilinear(image, size);
}

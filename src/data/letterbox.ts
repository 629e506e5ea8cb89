/** Letterbox: the whole image, its aspect kept, centred on a canvas of grey 114. */
import { resizeBilinear } from './resize-bilinear.ts';
import { checkRgbImage, pixelsFor, type PixelSize, type RgbImage } from './rgb-image.ts';
import { roundHalfEven } from './round-half-even.ts';

/** Value of all three channels where there is no image. */
export const PAD_VALUE = 114;

export interface LetterboxOptions {
  /** Pads only up to the next multiple of `stride` (inference on single images) instead of to the full shape. */
  readonly auto: boolean;
  /** Whether a small image is enlarged (training, inference) or only padded (validation). */
  readonly scaleUp: boolean;
  /** Largest stride of the model, pixels; 32 by default. Only `auto` uses it. */
  readonly stride?: number;
}

export interface LetterboxGeometry {
  /** Resized over original size, the same for both axes. */
  readonly ratio: number;
  /** Size of the image inside the canvas, pixels. */
  readonly resizedWidth: number;
  readonly resizedHeight: number;
  /** Half of the padding, pixels; may end in .5. Boxes are shifted by these, not by `left` and `top`. */
  readonly padX: number;
  readonly padY: number;
  /** Padding on each side, whole pixels. An odd pixel goes to the right or the bottom. */
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  /** Size of the canvas, pixels. */
  readonly outWidth: number;
  readonly outHeight: number;
}

/** Geometry of fitting `image` into `shape` (both in pixels), rounding half to even (YOLOv5 v7.0 convention). */
export function letterboxGeometry(
  image: PixelSize,
  shape: PixelSize,
  options: LetterboxOptions,
): LetterboxGeometry {
  const { auto, scaleUp, stride = 32 } = options;
  const fit = Math.min(shape.height / image.height, shape.width / image.width);
  const ratio = scaleUp ? fit : Math.min(fit, 1);
  // A side never vanishes: 10 x 20000 into 640 would round to a width of 0.
  const resizedWidth = Math.max(1, roundHalfEven(image.width * ratio));
  const resizedHeight = Math.max(1, roundHalfEven(image.height * ratio));
  const spareX = shape.width - resizedWidth;
  const spareY = shape.height - resizedHeight;
  const padX = (auto ? spareX % stride : spareX) / 2;
  const padY = (auto ? spareY % stride : spareY) / 2;
  const left = roundHalfEven(padX - 0.1);
  const right = roundHalfEven(padX + 0.1);
  const top = roundHalfEven(padY - 0.1);
  const bottom = roundHalfEven(padY + 0.1);
  return {
    ratio,
    resizedWidth,
    resizedHeight,
    padX,
    padY,
    left,
    top,
    right,
    bottom,
    outWidth: left + resizedWidth + right,
    outHeight: top + resizedHeight + bottom,
  };
}

/**
 * Resizes `image` (bilinear) and pads it as `geometry` says. Writes into `into` when given (outHeight * outWidth * 3
 * bytes, every one of which is overwritten), else allocates. Throws E_INTERNAL on a buffer of the wrong length.
 */
export function letterboxPixels(image: RgbImage, geometry: LetterboxGeometry, into?: Uint8Array): RgbImage {
  checkRgbImage(image, 'letterboxPixels');
  const { resizedWidth, resizedHeight, left, top, outWidth, outHeight } = geometry;
  const size = { width: outWidth, height: outHeight };
  const out = pixelsFor(size, into, 'letterboxPixels');
  const same = image.width === resizedWidth && image.height === resizedHeight;
  const inner = same ? image : resizeBilinear(image, { width: resizedWidth, height: resizedHeight });
  const rowBytes = resizedWidth * 3;
  out.fill(PAD_VALUE);
  for (let y = 0; y < resizedHeight; y++) {
    const row = inner.pixels.subarray(y * rowBytes, (y + 1) * rowBytes);
    out.set(row, ((top + y) * outWidth + left) * 3);
  }
  return { ...size, pixels: out };
}

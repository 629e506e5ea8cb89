/** Makes the picture of one composition: images resized, placed on grey, warped. */
import { PAD_VALUE } from '../data/letterbox.ts';
import { resizeBilinear } from '../data/resize-bilinear.ts';
import type { PixelSize, RgbImage } from '../data/rgb-image.ts';
import type { Composition, PlacedImage } from '../data/view.ts';
import { isProjective } from './matrix3.ts';
import type { Scratch } from './scratch.ts';
import { warpAffine } from './warp-affine.ts';
import { warpPerspective } from './warp-perspective.ts';

/**
 * Decoded RGB pixels of a sample: at its size on disk after EXIF orientation, or resized bilinearly to `size`, the size
 * that the view loads it at. Both give the same picture.
 */
export type ImageOf = (sample: number, size: PixelSize) => RgbImage | Promise<RgbImage>;

function resized(image: RgbImage, width: number, height: number, into: () => Uint8Array): RgbImage {
  if (image.width === width && image.height === height) return image;
  return resizeBilinear(image, { width, height }, into());
}

/** Copies the crop of `image` that `placed` shows to `canvas`, a picture `canvasWidth` wide. */
function paste(image: RgbImage, placed: PlacedImage, canvas: Uint8Array, canvasWidth: number): void {
  const [x1, y1, x2, y2] = placed.canvas;
  const [sourceX, sourceY] = placed.source;
  const bytes = (x2 - x1) * 3;
  for (let y = y1; y < y2; y++) {
    const from = ((sourceY + y - y1) * image.width + sourceX) * 3;
    canvas.set(image.pixels.subarray(from, from + bytes), (y * canvasWidth + x1) * 3);
  }
}

/** The composition's images in order, asked for all at once, each once; of several failures the first is thrown. */
async function imagesOf(composition: Composition, imageOf: ImageOf): Promise<readonly RgbImage[]> {
  const asked = new Map<string, Promise<RgbImage>>();
  const load = async (sample: number, size: PixelSize): Promise<RgbImage> => imageOf(sample, size);
  const settled = await Promise.allSettled(
    composition.images.map(({ sample, w, h }) => {
      const key = `${sample} ${w} ${h}`;
      const image = asked.get(key) ?? load(sample, { width: w, height: h });
      asked.set(key, image);
      return image;
    }),
  );
  return settled.map((outcome) => {
    if (outcome.status === 'fulfilled') return outcome.value;
    throw outcome.reason;
  });
}

/** Writes the composition's picture of `size` (uint8 RGB) to `out`. Rejects with what `imageOf` throws. */
export async function compose(
  composition: Composition,
  size: PixelSize,
  imageOf: ImageOf,
  out: Uint8Array,
  scratch: Scratch,
): Promise<void> {
  const { canvasWidth, canvasHeight, matrix } = composition;
  const images = await imagesOf(composition, imageOf);
  const bytes = canvasWidth * canvasHeight * 3;
  const canvas = matrix === undefined ? out : scratch.bytes('canvas', bytes);
  canvas.fill(PAD_VALUE);
  for (const [i, placed] of composition.images.entries()) {
    const source = images[i];
    if (source === undefined) continue;
    const { w, h, fit = [w, h] } = placed;
    const loaded = resized(source, w, h, () => scratch.bytes('loaded', w * h * 3));
    const fitted = resized(loaded, fit[0], fit[1], () => scratch.bytes('fitted', fit[0] * fit[1] * 3));
    paste(fitted, placed, canvas, canvasWidth);
  }
  if (matrix === undefined) return;
  const warp = isProjective(matrix) ? warpPerspective : warpAffine;
  warp({ width: canvasWidth, height: canvasHeight, pixels: canvas }, matrix, size, out);
}

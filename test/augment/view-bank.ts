/** Random views over formula images, under an augmentation that uses everything. */
import { applyView } from '../../src/augment/apply-view.ts';
import { LETTERBOX_ONLY, type Augmentation } from '../../src/augment/augmentation.ts';
import { drawView } from '../../src/augment/draw-view.ts';
import { pixelDigest } from '../../src/augment/pixel-digest.ts';
import type { Scratch } from '../../src/augment/scratch.ts';
import type { RgbImage } from '../../src/data/rgb-image.ts';
import type { BoxLabel } from '../../src/data/sample.ts';
import type { ViewLabel, ViewRecord } from '../../src/data/view.ts';
import { formulaPixels } from './formula-pixels.ts';

export const EVERYTHING: Augmentation = {
  ...LETTERBOX_ONLY,
  hsv_h: 0.015,
  hsv_s: 0.7,
  hsv_v: 0.4,
  degrees: 10,
  translate: 0.1,
  scale: 0.5,
  shear: 5,
  flipud: 0.3,
  fliplr: 0.5,
  mosaic: 0.7,
  mosaic9: 0.4,
  mixup: 0.5,
};

/** Odd and even, small and large, wide and tall against an image size of 64. */
export const SIZES = [
  { width: 64, height: 48 },
  { width: 31, height: 57 },
  { width: 100, height: 100 },
  { width: 12, height: 90 },
  { width: 150, height: 33 },
  { width: 63, height: 64 },
  { width: 10, height: 10 },
];
const IMAGES = SIZES.map(({ width, height }, i) => formulaPixels(width, height, 29 * i));

export const imageOf = (sample: number): RgbImage => {
  const image = IMAGES[sample];
  if (image === undefined) throw new RangeError(`no image ${sample}`);
  return image;
};

export const labelsOf = (sample: number): readonly BoxLabel[] =>
  Array.from({ length: sample }, (_, i) => ({
    classIndex: i,
    cx: (i + 1) / (sample + 1),
    cy: 0.5,
    w: 0.3,
    h: 0.4,
  }));

/** View i of the bank; every third one is projective. */
export const bankView = (i: number): ViewRecord =>
  drawView(
    { sample: i % SIZES.length, view: i },
    SIZES,
    64,
    i % 3 === 0 ? { ...EVERYTHING, perspective: 0.001 } : EVERYTHING,
    2024,
  );

export interface Seen {
  readonly digest: string;
  readonly labels: readonly ViewLabel[] | undefined;
}

export async function see(record: ViewRecord, scratch?: Scratch): Promise<Seen> {
  const options = scratch === undefined ? {} : { scratch };
  const { pixels, labels } = await applyView(record, imageOf, labelsOf, options);
  return { digest: pixelDigest(pixels), labels };
}

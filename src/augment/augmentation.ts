/** What an augmentation may do: the ranges and probabilities that views are drawn from. */
import { z } from 'zod';
import { SoftshardError } from '../errors.ts';

const probability = z.number().min(0).max(1).default(0);

/** A key that YOLOv5 does not have: left out where it is 0, so that it changes no identity until it is used. */
const additional = z
  .number()
  .min(0)
  .max(1)
  .transform((value) => (value === 0 ? undefined : value))
  .optional();

/**
 * The augmentation keys of a hyper-parameter file, under the names YOLOv5 v7.0 gives them, and `mosaic9`. Every key is
 * 0 (off) by default. These keys are part of a cache's identity.
 */
export const augmentationSchema = z.strictObject({
  hsv_h: z.number().min(0).max(1).default(0).describe('Largest relative change of hue, 0…1.'),
  hsv_s: z.number().min(0).max(1).default(0).describe('Largest relative change of saturation, 0…1.'),
  hsv_v: z.number().min(0).max(1).default(0).describe('Largest relative change of value, 0…1.'),
  degrees: z.number().min(0).max(180).default(0).describe('Largest rotation either way, degrees, 0…180.'),
  translate: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('Largest shift, as a share of the output side, 0…1.'),
  scale: z.number().min(0).lt(1).default(0).describe('Zoom drawn from 1 - scale … 1 + scale; 0 to below 1.'),
  shear: z.number().min(0).lt(90).default(0).describe('Largest shear either way, degrees, 0 to below 90.'),
  perspective: z.number().min(0).max(0.01).default(0).describe('Largest projective term, 1/pixel, 0…0.01.'),
  flipud: probability.describe('Probability of a vertical flip, 0…1.'),
  fliplr: probability.describe('Probability of a horizontal flip, 0…1.'),
  mosaic: probability.describe('Probability of a mosaic of four images, 0…1.'),
  mixup: probability.describe('Probability that a mosaic is blended with a second one, 0…1.'),
  mosaic9: additional.describe(
    'Share of the mosaics that are of nine images, at two thirds of the size, 0…1.',
  ),
  copy_paste: probability.describe('Probability of copying segmented objects, 0…1; needs polygons.'),
});

export type Augmentation = Readonly<z.infer<typeof augmentationSchema>>;

/** Nothing is drawn: the image is letterboxed and no more. */
export const LETTERBOX_ONLY: Augmentation = augmentationSchema.parse({});

/**
 * Throws E_HYP when `copy_paste` is above 0: it copies segmented objects, and samples hold boxes only.
 */
export function refuseCopyPaste(augmentation: Augmentation): void {
  if (augmentation.copy_paste === 0) return;
  throw new SoftshardError('E_HYP', {
    message: 'Copy-paste augmentation needs polygons, and labels are held as boxes.',
    where: 'key copy_paste',
    expected: '0',
    found: String(augmentation.copy_paste),
    remedy: 'Set copy_paste to 0 (on the command line: --set hyp.copy_paste=0).',
  });
}

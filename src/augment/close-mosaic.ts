/** Views at the end of a plan that are made without mosaic, for the last epochs of a training. */
import { SoftshardError } from '../errors.ts';
import type { Augmentation } from './augmentation.ts';

/** The augmentation with neither mosaic nor what is mixed into one. */
export const withoutMosaic = (augmentation: Augmentation): Augmentation => ({
  ...augmentation,
  mosaic: 0,
  mixup: 0,
});

/** The augmentation of view `view` of `views`, the last `closed` of which are without mosaic. */
export const augmentationOfView = (
  augmentation: Augmentation,
  view: number,
  { views, closed }: { readonly views: number; readonly closed: number },
): Augmentation => (view >= views - closed ? withoutMosaic(augmentation) : augmentation);

/** Throws E_OPTION_CONFLICT unless views are left for the epochs before: `views` > `closed`. */
export function checkCloseMosaic(views: number, closed: number): void {
  if (closed === 0 || views > closed) return;
  throw new SoftshardError('E_OPTION_CONFLICT', {
    message: 'No view with mosaic would be left.',
    where: '--close-mosaic',
    expected: `fewer than the ${views} views a sample`,
    found: String(closed),
    remedy: 'Raise --views, or close mosaic for fewer epochs.',
  });
}

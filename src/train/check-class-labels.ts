/** Whether a data set can teach a classifier. */
import type { Augmentation } from '../augment/augmentation.ts';
import type { Dataset } from '../data/sample.ts';
import { SoftshardError } from '../errors.ts';

/**
 * Throws E_OPTION_CONFLICT unless every labelled image has one label, and views are of one image each (no mosaic,
 * mixup or copied objects).
 */
export function checkClassLabels(dataset: Dataset, augmentation: Augmentation | undefined): void {
  const other = dataset.samples.find(({ labels }) => labels !== undefined && labels.length !== 1);
  if (other !== undefined) {
    throw new SoftshardError('E_OPTION_CONFLICT', {
      message: 'A classifier needs images of one class each.',
      where: other.path,
      expected: 'one label',
      found: `${other.labels?.length ?? 0} labels`,
      remedy: 'Cut the boxes out with softshard crop, or give a folder with a folder for each class.',
    });
  }
  for (const key of ['mosaic', 'mixup', 'copy_paste'] as const) {
    const value = augmentation?.[key] ?? 0;
    if (value === 0) continue;
    throw new SoftshardError('E_OPTION_CONFLICT', {
      message: 'A classifier’s views show one image each.',
      where: `hyp key ${key}`,
      expected: '0',
      found: String(value),
      remedy: `Set hyp.${key}=0.`,
    });
  }
}

import { SoftshardError } from '../errors.ts';
import type { LossTarget } from './loss.ts';

/** The rows of `labels` whose image is annotated. Throws E_LOSS for rows that name no image or class. */
export function usableLabels({ labels, labelled }: LossTarget, nc: number): Float32Array {
  const kept: number[] = [];
  for (let i = 0; i + 6 <= labels.length; i += 6) {
    const row = labels.subarray(i, i + 6);
    const [image = -1, classIndex = -1] = row;
    if (
      labelled[image] === undefined ||
      !Number.isInteger(classIndex) ||
      classIndex < 0 ||
      classIndex >= nc
    ) {
      throw new SoftshardError('E_LOSS', {
        message: 'A label names an image or a class that does not exist.',
        where: `label row ${i / 6}`,
        expected: `image < ${labelled.length}, class < ${nc}`,
        found: `image ${image}, class ${classIndex}`,
      });
    }
    if (labelled[image]) kept.push(...row);
  }
  return Float32Array.from(kept);
}

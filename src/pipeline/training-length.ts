/** How a number of batches is divided into epochs, and epochs among stages. */
import { SoftshardError } from '../errors.ts';

export interface TrainingLength {
  readonly epochs: number;
  readonly stepsPerEpoch: number;
}

/** About `epochs` epochs that make `steps` batches, both >= 1; as near to `steps` as whole epochs come. */
export function trainingLength(steps: number, epochs: number): TrainingLength {
  const stepsPerEpoch = Math.max(1, Math.round(steps / epochs));
  return { epochs: Math.max(1, Math.round(steps / stepsPerEpoch)), stepsPerEpoch };
}

/**
 * Divides whole epochs by shares that add up to 1; each gets one at least, and the last what is left. Throws E_USAGE
 * where there are fewer epochs than shares.
 */
export function divideEpochs(epochs: number, shares: readonly number[]): number[] {
  if (epochs < shares.length) {
    throw new SoftshardError('E_USAGE', {
      message: 'A method of several stages needs an epoch for each.',
      expected: `at least ${shares.length} epochs`,
      found: `${epochs}`,
    });
  }
  const parts: number[] = [];
  let left = epochs;
  shares.forEach((share, i) => {
    const after = shares.length - i - 1;
    const part = after === 0 ? left : Math.min(Math.max(1, Math.round(share * epochs)), left - after);
    parts.push(part);
    left -= part;
  });
  return parts;
}

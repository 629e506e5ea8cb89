/** What `softshard evaluate` says of a classifier. */
import type { EngineInfo } from '../engine/engine.ts';
import { alignedTable } from '../text/aligned-table.ts';
import type { ClassifiedImages } from './classify-images.ts';

export const CLASSIFICATION_FORMAT = { format: 'softshard-classification', major: 1, minor: 0 } as const;

/** What `softshard evaluate --json` prints of a classifier. */
export interface ClassifierEvaluation extends Omit<ClassifiedImages, 'inferenceMs'> {
  readonly format: typeof CLASSIFICATION_FORMAT.format;
  readonly major: number;
  readonly minor: number;
  readonly weights: string;
  readonly data: string;
  readonly split: string;
  readonly imgsz: number;
  /** Trainable values, and bytes of the weight file. */
  readonly parameters: number;
  readonly bytes: number;
  /** Milliseconds an image in the network. */
  readonly speed: { readonly inferenceMs: number };
  readonly engine: EngineInfo;
  /** What was left out, with the reason. */
  readonly dropped: readonly { readonly path: string; readonly reason: string }[];
}

/** Accuracy over all and by class, as lines for a person. */
export function classifierText(result: ClassifierEvaluation): string {
  const share = (value: number | null): string => (value === null ? '-' : value.toFixed(4));
  return [
    alignedTable([
      ['class', 'images', 'accuracy'],
      ['all', String(result.images), share(result.accuracy)],
      ...result.perClass.map(({ name, images, accuracy }) => [name, String(images), share(accuracy)]),
    ]),
    `mean over classes ${share(result.meanClassAccuracy)}, cross entropy ${result.crossEntropy.toFixed(4)}`,
    `split ${result.split} at ${result.imgsz}; an image took ${result.speed.inferenceMs.toFixed(1)} ms in the network`,
  ].join('\n');
}

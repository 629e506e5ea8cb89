import { isClassifier, type HeadSpec } from '../model/detector.ts';
import { SoftshardError } from '../errors.ts';
import { featureKind, headBlob, LOGITS_KIND } from './answers.ts';

/** A layer whose output can be cached. */
export interface FeatureLayer {
  /** Number under which the cache has it. */
  readonly layer: number;
  readonly channels: number;
  /** Image pixels per pixel of the feature, one axis. */
  readonly stride: number;
}

/**
 * Shapes of one view's answers by blob name, before the teacher has run. Throws E_USAGE for an image size that the
 * teacher's strides do not divide.
 */
export function answerShapes(
  head: HeadSpec,
  imageSize: number,
  features: readonly FeatureLayer[],
): Map<string, readonly number[]> {
  const stride = Math.max(...head.strides, ...features.map((feature) => feature.stride));
  if (imageSize % stride !== 0) {
    throw new SoftshardError('E_USAGE', {
      message: 'The image size does not fit the teacher.',
      where: '--imgsz',
      expected: `a multiple of ${stride}`,
      found: String(imageSize),
    });
  }
  const heads = isClassifier(head)
    ? [[LOGITS_KIND, [head.nc]] as const]
    : head.strides.map((cell, level) => {
        const side = imageSize / cell;
        return [headBlob(level), [side, side, head.na, head.no]] as const;
      });
  return new Map<string, readonly number[]>([
    ...heads,
    ...features.map((feature) => {
      const side = imageSize / feature.stride;
      return [featureKind(feature.layer), [side, side, feature.channels]] as const;
    }),
  ]);
}

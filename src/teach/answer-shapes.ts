import type { HeadSpec } from '../model/detector.ts';
import type { ModelGraph } from '../model/graph.ts';
import { SoftshardError } from '../errors.ts';
import { featureKind, headBlob } from './answers.ts';

/**
 * Shapes of one view's answers by blob name, before the teacher has run. Throws E_LOSS for a hint that is no layer,
 * E_USAGE for an image size that the teacher's strides do not divide.
 */
export function answerShapes(
  graph: ModelGraph,
  head: HeadSpec,
  imageSize: number,
  hints: readonly number[],
): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  const stride = Math.max(...head.strides, ...hints.map((hint) => graph.layers[hint]?.stride ?? 1));
  if (imageSize % stride !== 0) {
    throw new SoftshardError('E_USAGE', {
      message: 'The image size does not fit the teacher.',
      where: '--imgsz',
      expected: `a multiple of ${stride}`,
      found: String(imageSize),
    });
  }
  head.strides.forEach((cell, level) => {
    const side = imageSize / cell;
    shapes.set(headBlob(level), [side, side, head.na, head.no]);
  });
  for (const hint of hints) {
    const layer = graph.layers[hint];
    if (layer === undefined) {
      throw new SoftshardError('E_LOSS', {
        message: 'A hint names a layer that the teacher does not have.',
        where: '--hints',
        expected: `0 to ${graph.layers.length - 1}`,
        found: String(hint),
      });
    }
    const side = imageSize / layer.stride;
    shapes.set(featureKind(hint), [side, side, layer.module.outChannels]);
  }
  return shapes;
}

/** Feature distillation (FitNets, Romero et al. 2015, and later forms) on any pairs of layers. */
import * as tf from '@tensorflow/tfjs-core';
import { SoftshardError } from '../errors.ts';
import { absoluteError } from './features/absolute-error.ts';
import { attentionTransfer } from './features/attention-transfer.ts';
import { channelWise } from './features/channel-wise.ts';
import { cosineDistance } from './features/cosine-distance.ts';
import { pearsonDistance } from './features/pearson.ts';
import { resizeFeature } from './features/resize-feature.ts';
import { squaredError } from './features/squared-error.ts';
import { batchStandard } from './features/batch-standard.ts';
import { focalMasks } from './features/box-cells.ts';
import { focalGlobal } from './features/focal-global.ts';
import { generationMask, maskedGeneration } from './features/masked-generation.ts';
import { boxWeights, objectnessWeights } from './features/pixel-weights.ts';
import { contextBlocksOf, generatorOf } from './hint-parameters.ts';
import {
  focalGlobalOptions,
  maskedGenerationOptions,
  pairName,
  WEIGHTED_KINDS,
  type HintPair,
} from './hint-pair.ts';
import type { Loss, LossContext, LossTarget } from './loss.ts';

/** Compares the features of a pair, brought to one shape. */
function distance(
  pair: HintPair,
  [s, t]: readonly [tf.Tensor4D, tf.Tensor4D],
  target: LossTarget,
  context: LossContext,
  index: number,
): tf.Scalar {
  const [batch, height, width] = s.shape;
  const grid = { batch, height, width };
  const name = pairName(pair);
  const partOf = (part: string): tf.Tensor | undefined => context.parameter?.(name, part);
  const weights = (): tf.Tensor4D | undefined => {
    switch (pair.pixels ?? 'all') {
      case 'all':
        return undefined;
      case 'objectness':
        return objectnessWeights(headsOf(target, name), grid);
      case 'boxes':
        return boxWeights(target, grid);
    }
  };
  switch (pair.kind) {
    case 'mse':
      return squaredError(s, t, weights());
    case 'l1':
      return absoluteError(s, t, weights());
    case 'cosine':
      return cosineDistance(s, t, weights());
    case 'at':
      return attentionTransfer(s, t);
    case 'pkd':
      return pearsonDistance(s, t);
    case 'cwd':
      return channelWise(s, t, pair.temperature);
    case 'fgd': {
      const options = focalGlobalOptions(pair);
      const blocks = options.lambda > 0 ? contextBlocksOf(partOf, name) : undefined;
      return focalGlobal(s, t, focalMasks(target, grid), options, blocks);
    }
    case 'mgd': {
      const { alpha, hidden } = maskedGenerationOptions(pair);
      const { seed = 0, iteration = 0 } = context.draw ?? {};
      const mask = generationMask([batch, height, width], hidden, { seed, iteration, pair: index });
      return maskedGeneration(context.ops, s, t, mask, generatorOf(partOf, name), alpha);
    }
  }
}

function headsOf({ teacher }: LossTarget, name: string): readonly tf.Tensor5D[] {
  if (teacher?.heads !== undefined && teacher.heads.length > 0) return teacher.heads;
  throw new SoftshardError('E_LOSS', {
    message: `Hint ${name} weighs pixels by the teacher's objectness, and there is none.`,
    expected: 'a batch with heads',
    found: 'none',
    remedy: 'Teach with heads, or set pixels to all.',
  });
}

/** Brings both maps to one size: a teacher larger by a whole factor is averaged, else the student is resized. */
function aligned(s: tf.Tensor4D, t: tf.Tensor4D): [tf.Tensor4D, tf.Tensor4D] {
  const [, sh, sw] = s.shape;
  const [, th, tw] = t.shape;
  if (sh === th && sw === tw) return [s, t];
  const factor = th / sh;
  if (Number.isInteger(factor) && tw === factor * sw) return [s, tf.avgPool(t, factor, factor, 'valid')];
  return [resizeFeature(s, th, tw), t];
}

function featureOf(
  features: ReadonlyMap<number, tf.Tensor4D> | undefined,
  layer: number,
  whose: string,
): tf.Tensor4D {
  const feature = features?.get(layer);
  if (feature !== undefined) return feature;
  throw new SoftshardError('E_LOSS', {
    message: `The ${whose}'s feature of layer ${layer} is missing.`,
    expected: `layer ${layer}`,
    found:
      features === undefined || features.size === 0
        ? 'no features'
        : `layers ${[...features.keys()].join(', ')}`,
    remedy: `Capture it (teach --hints ${layer} for a teacher), or leave out the hint.`,
  });
}

/**
 * Makes the hint loss: one term a pair, named `STUDENT-TEACHER`, unweighted. The student's feature goes through the
 * pair's adapter (`context.adapt`), is brought to the teacher's size (or a teacher larger by a whole factor averaged
 * down to the student's), and compared with the teacher's feature as it is (or both
 * standardised: `norm`), without an activation of its own.
 *
 * Labels are used by FGD and by `pixels: boxes` alone; else every image counts. Throws E_LOSS when two pairs have one
 * name, a kind does not take weights of pixels, a feature or trained layer is missing, or the channels differ after
 * the adapter (attention transfer needs no equal channels).
 */
export function createHintLoss(pairs: readonly HintPair[]): Loss {
  const names = pairs.map(pairName);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new SoftshardError('E_LOSS', {
      message: 'Two hints join the same pair of layers.',
      found: `${twice} twice`,
      remedy: 'Keep one of them.',
    });
  }
  for (const pair of pairs) {
    if ((pair.pixels ?? 'all') === 'all' || WEIGHTED_KINDS.includes(pair.kind)) continue;
    throw new SoftshardError('E_LOSS', {
      message: `Hint ${pairName(pair)} cannot weigh its pixels: ${pair.kind} is no mean over pixels.`,
      expected: `pixels all, or one of the kinds ${WEIGHTED_KINDS.join(', ')}`,
      found: `${pair.kind} with pixels ${pair.pixels ?? 'all'}`,
    });
  }
  return (student, target, context) =>
    tf.tidy(() =>
      Object.fromEntries(
        pairs.map((pair, index) => {
          const name = pairName(pair);
          const feature = featureOf(student.features, pair.student, 'student');
          const hint = featureOf(target.teacher?.features, pair.teacher, 'teacher');
          const [s, t] = aligned(context.adapt(name, feature), hint);
          if (s.shape[0] !== t.shape[0] || (pair.kind !== 'at' && s.shape[3] !== t.shape[3])) {
            throw new SoftshardError('E_LOSS', {
              message: `Hint ${name} compares features of different shapes.`,
              expected: `[${t.shape.join(', ')}] (teacher)`,
              found: `[${s.shape.join(', ')}] (student, after the adapter)`,
              remedy: 'Use the adapter conv1x1.',
            });
          }
          const norm = pair.norm ?? 'none';
          const both = [
            norm === 'none' ? s : batchStandard(context.ops, s),
            norm === 'both' ? batchStandard(context.ops, t) : t,
          ] as const;
          return [name, distance(pair, both, target, context, index)];
        }),
      ),
    );
}

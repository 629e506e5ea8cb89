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
import type { Loss } from './loss.ts';

/** How two feature maps are compared: see the functions in `features/`. */
export const HINT_KINDS = ['mse', 'l1', 'cosine', 'at', 'pkd', 'cwd'] as const;
export type HintKind = (typeof HINT_KINDS)[number];

/** What stands between student and teacher: a trained 1x1 convolution with bias, or nothing. */
export const HINT_ADAPTERS = ['conv1x1', 'none'] as const;
export type HintAdapter = (typeof HINT_ADAPTERS)[number];

export interface HintPair {
  /** Layer indices in the two graphs. */
  readonly student: number;
  readonly teacher: number;
  readonly kind: HintKind;
  /** Temperature of `cwd`; the other kinds have none. 1 by default. */
  readonly temperature?: number;
}

/** The pair's name, `STUDENT-TEACHER`: its term in the loss, and its adapter. */
export const pairName = ({ student, teacher }: Pick<HintPair, 'student' | 'teacher'>): string =>
  `${student}-${teacher}`;

function distance({ kind, temperature }: HintPair, s: tf.Tensor4D, t: tf.Tensor4D): tf.Scalar {
  switch (kind) {
    case 'mse':
      return squaredError(s, t);
    case 'l1':
      return absoluteError(s, t);
    case 'cosine':
      return cosineDistance(s, t);
    case 'at':
      return attentionTransfer(s, t);
    case 'pkd':
      return pearsonDistance(s, t);
    case 'cwd':
      return channelWise(s, t, temperature);
  }
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
 * down to the student's), and compared with the teacher's feature as it is, without an activation of its own.
 *
 * Labels are not used: every image counts. Throws E_LOSS when two pairs have one name, a feature is missing, or the
 * channels differ after the adapter (attention transfer needs no equal channels).
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
  return (student, target, context) =>
    tf.tidy(() =>
      Object.fromEntries(
        pairs.map((pair) => {
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
          return [name, distance(pair, s, t)];
        }),
      ),
    );
}

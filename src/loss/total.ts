/** One footing for every term: all are per image, weighted against a hard loss of weight 1, and times the batch. */
import * as tf from '@tensorflow/tfjs-core';
import { SoftshardError } from '../errors.ts';
import type { DistillationOptions } from './distillation-options.ts';
import { pairName } from './hint-pair.ts';
import type { LossTerms } from './loss.ts';
import { scheduleFactor } from './schedule.ts';

/** Weights in force, schedules included. */
export interface LossWeights {
  readonly hard: number;
  readonly output: number;
  /** By pair name. */
  readonly hints: Readonly<Record<string, number>>;
}

/** The weights that `options` put in force in `epoch` (0-based) of `epochs`. */
export function lossWeights(options: DistillationOptions, epoch: number, epochs: number): LossWeights {
  const { hard, output, hints } = options;
  return {
    hard: hard.weight,
    output: output.kind === 'none' ? 0 : output.weight * scheduleFactor(output.schedule, epoch, epochs),
    hints: Object.fromEntries(
      hints.map((hint) => [pairName(hint), hint.weight * scheduleFactor(hint.schedule, epoch, epochs)]),
    ),
  };
}

export interface TotalLossParts {
  /** Terms of the hard loss (per labelled image), of the output loss and of the hints (per image). */
  readonly hard?: LossTerms;
  readonly output?: LossTerms;
  readonly hints?: LossTerms;
  readonly weights: LossWeights;
  /** Images in the batch, and those of them with annotation. */
  readonly batch: number;
  readonly labelledCount: number;
}

export interface TotalLoss {
  /** What is differentiated. */
  readonly total: tf.Scalar;
  /**
   * Every term by name: `hard/box`, `output/cls`, `hint/17-17` as given (the very tensors of the parts), and
   * `weighted/hard/box` and so on as what it adds to `total`; the weighted ones sum up to `total`.
   */
  readonly logged: Readonly<Record<string, tf.Scalar>>;
}

/**
 * total = B (hard * L_hard * labelled/B + output * L_out + sum of hints[pair] * L_hint).
 *
 * A term with weight 0 is logged and takes no gradient. `total` and the weighted terms are new tensors, which the
 * caller disposes (or a surrounding tidy does); the unweighted ones stay the caller's. Throws E_LOSS when there is no
 * term at all or a hint without a weight.
 */
export function totalLoss(parts: TotalLossParts): TotalLoss {
  const { weights, batch, labelledCount } = parts;
  const terms: { name: string; term: tf.Scalar; weight: number }[] = [];
  const add = (group: string, of: LossTerms | undefined, weightOf: (name: string) => number): void => {
    for (const [name, term] of Object.entries(of ?? {})) {
      terms.push({ name: `${group}/${name}`, term, weight: weightOf(name) });
    }
  };
  add('hard', parts.hard, () => weights.hard * labelledCount);
  add('output', parts.output, () => weights.output * batch);
  add('hint', parts.hints, (name) => {
    const weight = weights.hints[name];
    if (weight !== undefined) return weight * batch;
    throw new SoftshardError('E_LOSS', {
      message: `Hint ${name} has no weight.`,
      expected: `a weight for ${Object.keys(parts.hints ?? {}).join(', ')}`,
      found: Object.keys(weights.hints).join(', ') || 'none',
    });
  });
  if (terms.length === 0) {
    throw new SoftshardError('E_LOSS', {
      message: 'There is no term to learn from.',
      expected: 'terms of the hard loss, the output loss or hints',
      found: 'none',
    });
  }
  const weighted = terms.map(({ name, term, weight }) => ({
    name: `weighted/${name}`,
    // A zero weight cuts the term off, rather than sending zeros back through the whole model.
    term: weight === 0 ? tf.scalar(0) : tf.mul<tf.Scalar>(term, weight),
  }));
  return {
    total: tf.addN(weighted.map(({ term }) => term)),
    logged: Object.fromEntries([...terms, ...weighted].map(({ name, term }) => [name, term])),
  };
}

/** One batch of training: forward, loss, gradient, and, where it is due, the optimizer's step. */
import * as tf from '@tensorflow/tfjs-core';
import type { EngineOps } from '../engine/engine.ts';
import { SoftshardError } from '../errors.ts';
import type { Forward } from '../model/detector.ts';
import { BATCH_NORM_MOMENTUM } from '../model/fold.ts';
import { trainForward, type BatchStatistics } from '../model/trainable.ts';
import { applyRule } from '../optim/apply-rule.ts';
import { clipGradient } from '../optim/clip-gradient.ts';
import { l2Norm } from '../optim/l2-norm.ts';
import { partOf, trainedSize, unpack } from '../optim/parameter-layout.ts';
import type { IterationSettings } from '../optim/schedule.ts';
import type { UpdateRule } from '../optim/update-rule.ts';
import { flattenStatistics } from './statistics-layout.ts';
import type { TrainingState, TrainingVectors } from './training-state.ts';

/** A loss and the terms to log; tensors that this function may create freely, inside a tidy. */
export interface StepLoss {
  readonly total: tf.Scalar;
  readonly logged: Readonly<Record<string, tf.Scalar>>;
}

export interface StepOptions {
  readonly ops: EngineOps;
  readonly rule: UpdateRule;
  readonly settings: IterationSettings;
  /** Effective weight decay of filters and adapters. */
  readonly weightDecay: number;
  /** Global L2 norm that a gradient is clipped to; undefined for none. */
  readonly clipNorm: number | undefined;
  /** Layers whose outputs the loss reads. */
  readonly features: readonly number[];
  /** The loss of a forward pass. `values` are all trainable values, adapters included, in the engine's layout. */
  loss(forward: Forward, values: ReadonlyMap<string, tf.Tensor>): StepLoss;
}

export interface StepResult {
  /** Values of the logged terms, with `total`. */
  readonly logged: Readonly<Record<string, number>>;
  /** L2 norm of this batch's gradient before clipping. */
  readonly gradientNorm: number;
  /** Whether the optimizer stepped. */
  readonly stepped: boolean;
}

const replace = (vectors: TrainingVectors, next: Partial<TrainingVectors>): void => {
  for (const [name, value] of Object.entries(next)) {
    const key = name as keyof TrainingVectors;
    tf.dispose(vectors[key]);
    Object.assign(vectors, { [key]: value });
  }
};

/** The values of the frozen layers, outside of any gradient; the caller disposes. */
function frozenValues({ parameters, vectors }: TrainingState, ops: EngineOps): Map<string, tf.Tensor> {
  const layout = partOf(parameters, 'frozen');
  if (layout.size === 0) return new Map();
  const flat = tf.slice1d(vectors.weights, trainedSize(parameters), layout.size);
  const values = unpack(layout, flat, ops);
  flat.dispose();
  return values;
}

/** Trains on x [B,H,W,3] in 0...1 and moves `state` on by one iteration. Throws E_DIVERGED on a loss not finite. */
export function trainStep(state: TrainingState, x: tf.Tensor4D, options: StepOptions): StepResult {
  const { vectors, counters } = state;
  const statistics = new Map<string, BatchStatistics>();
  const logged = new Map<string, tf.Scalar>();
  const trained = partOf(state.parameters, 'trained');
  const frozen = frozenValues(state, options.ops);
  const weights = frozen.size === 0 ? vectors.weights : tf.slice1d(vectors.weights, 0, trained.size);
  const { value: total, grad: part } = tf.valueAndGrad((flat: tf.Tensor) => {
    const values = new Map([...unpack(trained, flat as tf.Tensor1D, options.ops), ...frozen]);
    const forward = trainForward(state.graph, values, options.ops, statistics, x, options.features);
    const loss = options.loss(forward, values);
    for (const [name, term] of Object.entries(loss.logged)) logged.set(name, tf.keep(tf.clone(term)));
    return loss.total;
  })(weights);
  let gradient = part;
  if (frozen.size > 0) {
    const rest = vectors.weights.size - trained.size;
    gradient = tf.tidy(() => tf.concat1d([part as tf.Tensor1D, tf.zeros([rest])]));
    tf.dispose([part, weights, ...frozen.values()]);
  }

  const names = ['total', ...logged.keys()];
  const [numbers, norm] = tf.tidy(() => {
    const terms = [total, ...logged.values(), l2Norm(gradient as tf.Tensor1D)];
    const all = tf.stack(terms.map((term) => tf.reshape(term, [])));
    const read = all.dataSync();
    return [read.subarray(0, names.length), read[names.length] ?? Number.NaN] as const;
  });
  tf.dispose([total, ...logged.values()]);
  const result = Object.fromEntries(names.map((name, i) => [name, numbers[i] ?? Number.NaN]));
  if (!Number.isFinite(result['total']) || !Number.isFinite(norm)) {
    gradient.dispose();
    for (const { mean, variance } of statistics.values()) tf.dispose([mean, variance]);
    throw new SoftshardError('E_DIVERGED', {
      message: 'The training diverged: the loss or its gradient is not finite.',
      where: `iteration ${counters.iteration}`,
      found: `${Object.entries(result)
        .map(([name, v]) => `${name} ${v}`)
        .join(', ')}, gradient norm ${norm}`,
      remedy: 'Lower lr0 or the weights of the distillation terms.',
    });
  }

  replace(
    vectors,
    tf.tidy(() => ({
      accumulated: tf.keep(tf.add(vectors.accumulated, gradient)),
      statistics: tf.keep(
        tf.add(
          tf.mul(vectors.statistics, 1 - BATCH_NORM_MOMENTUM),
          tf.mul(flattenStatistics(state.statisticsLayout, statistics), BATCH_NORM_MOMENTUM),
        ),
      ),
    })),
  );
  gradient.dispose();
  for (const { mean, variance } of statistics.values()) tf.dispose([mean, variance]);

  const stepped = counters.iteration - counters.lastStep >= options.settings.accumulate;
  if (stepped) {
    optimizerStep(state, options);
    counters.lastStep = counters.iteration;
  }
  counters.iteration += 1;
  return { logged: result, gradientNorm: norm, stepped };
}

/** Share of the average that stays at an update (1-based): 0.9999 (1 - e^(-updates/2000)). */
export const averageDecay = (updates: number): number => 0.9999 * (1 - Math.exp(-updates / 2000));

function optimizerStep(state: TrainingState, options: StepOptions): void {
  const { vectors, counters, parameters } = state;
  const { settings, rule, weightDecay, clipNorm } = options;
  counters.updates += 1;
  const decay = averageDecay(counters.updates);
  const next = tf.tidy(() => {
    const gradient =
      clipNorm === undefined ? vectors.accumulated : clipGradient(vectors.accumulated, clipNorm).gradient;
    const { weights, slots, average } = applyRule(
      rule,
      { weights: vectors.weights, gradient, slots: vectors.slots, average: vectors.averagedWeights },
      {
        groups: parameters.ranges.map(({ group, size }) => ({
          size,
          learningRate:
            group === 'frozen' ? 0 : group === 'bias' ? settings.biasLearningRate : settings.learningRate,
          weightDecay: group === 'weight' || group === 'adapterWeight' ? weightDecay : 0,
        })),
        momentum: settings.momentum,
        step: counters.updates,
        averageDecay: decay,
      },
      options.ops,
    );
    const statistics = tf.add<tf.Tensor1D>(
      tf.mul(vectors.averagedStatistics, decay),
      tf.mul(vectors.statistics, 1 - decay),
    );
    return {
      weights: tf.keep(weights),
      slots: slots.map((slot) => tf.keep(slot)),
      averagedWeights: tf.keep(average),
      averagedStatistics: tf.keep(statistics),
      accumulated: tf.keep(tf.zerosLike(vectors.accumulated)),
    };
  });
  replace(vectors, next);
}

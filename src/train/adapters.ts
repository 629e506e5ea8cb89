/** The trained layers between a student's feature and a teacher's: parameters beside the model's own. */
import * as tf from '@tensorflow/tfjs-core';
import type { EngineOps } from '../engine/engine.ts';
import { pairName } from '../loss/hint-pair.ts';
import { hintParameters } from '../loss/hint-parameters.ts';
import type { HintOptions } from '../loss/distillation-options.ts';
import type { ExtraParameter } from '../optim/parameter-layout.ts';
import type { HintChannels } from './hint-channels.ts';
import { uniformValues } from '../model/initial-state.ts';

export interface AdapterParameters {
  readonly declared: readonly ExtraParameter[];
  readonly values: ReadonlyMap<string, Float32Array>;
}

/** The key of a hint's trained tensor among the trainable values. */
export const adapterKey = (pair: string, part: string): string => `adapter.${pair}.${part}`;

/** Whether a hint's adapter is drawn, not trained. */
const isDrawn = ({ adapterWeights = 'trained' }: HintOptions): boolean => adapterWeights !== 'trained';

const ADAPTER_PARTS = ['weight', 'bias'] as const;
const isAdapterPart = (part: string): boolean => ADAPTER_PARTS.some((name) => name === part);

/**
 * Declares and initialises what each hint trains beside the student (`hintParameters`): its 1x1 convolution, and the
 * layers of FGD and MGD. PyTorch's default, uniform in ±1/sqrt(inputs), keyed by `seed`.
 */
export function createAdapters(
  hints: readonly HintOptions[],
  channels: HintChannels,
  seed: number,
): AdapterParameters {
  const declared: ExtraParameter[] = [];
  const values = new Map<string, Float32Array>();
  hints.forEach((hint, index) => {
    const [from, to] = [channels.student(hint.student), channels.teacher(hint.teacher)];
    for (const { part, shape, decayed, initial } of hintParameters(hint, from, to)) {
      if (isDrawn(hint) && isAdapterPart(part)) continue;
      const key = adapterKey(pairName(hint), part);
      const size = tf.util.sizeFromShape([...shape]);
      declared.push({ key, group: decayed ? 'adapterWeight' : 'adapterBias', shape });
      values.set(
        key,
        'value' in initial
          ? new Float32Array(size).fill(initial.value)
          : uniformValues(seed, purposeOf(part), index, size, initial.bound),
      );
    }
  });
  return { declared, values };
}

/** What the initial values of a part are drawn for. */
const purposeOf = (part: string): string => `adapter-${part}`;

/**
 * The adapters that are not trained, at `iteration`: constants by their keys, which the caller disposes. A frozen one
 * has the values that a trained one would begin with; a redrawn one has others at every iteration but 0.
 */
export function drawnAdapters(
  hints: readonly HintOptions[],
  channels: HintChannels,
  { seed, iteration }: { readonly seed: number; readonly iteration: number },
): Map<string, tf.Tensor> {
  const drawn = new Map<string, tf.Tensor>();
  hints.forEach((hint, index) => {
    if (!isDrawn(hint)) return;
    const [from, to] = [channels.student(hint.student), channels.teacher(hint.teacher)];
    const turn = hint.adapterWeights === 'redrawn' && iteration > 0 ? `-${iteration}` : '';
    for (const { part, shape, initial } of hintParameters(hint, from, to)) {
      if (!isAdapterPart(part) || 'value' in initial) continue;
      const size = tf.util.sizeFromShape([...shape]);
      const values = uniformValues(seed, `${purposeOf(part)}${turn}`, index, size, initial.bound);
      drawn.set(adapterKey(pairName(hint), part), tf.tensor(values, [...shape]));
    }
  });
  return drawn;
}

/** Applies the adapter of `pair` among the trainable `values`; the feature itself where there is none. */
export const applyAdapter =
  (values: ReadonlyMap<string, tf.Tensor>, ops: EngineOps) =>
  (pair: string, feature: tf.Tensor4D): tf.Tensor4D => {
    const weight = values.get(adapterKey(pair, 'weight'));
    const bias = values.get(adapterKey(pair, 'bias'));
    if (weight === undefined || bias === undefined) return feature;
    return ops.conv2dBias(
      feature,
      weight as tf.Tensor4D,
      bias as tf.Tensor1D,
      { stride: 1, padding: 0 },
      false,
    );
  };

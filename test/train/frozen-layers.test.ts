/** Frozen layers: their values stay, what is trained moves as without freezing, their batch norms go on counting. */
import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { parse } from 'yaml';
import { openEngine } from '../../src/engine/select.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { createHardLoss } from '../../src/loss/hard-loss.ts';
import { buildGraph } from '../../src/model/graph.ts';
import { initialState } from '../../src/model/initial-state.ts';
import { checkModelYaml } from '../../src/model/model-yaml.ts';
import { UPDATE_RULES } from '../../src/optim/update-rule.ts';
import { frozenLayers } from '../../src/train/frozen-layers.ts';
import { trainStep } from '../../src/train/train-step.ts';
import { disposeState, startTraining, stateDictOf } from '../../src/train/training-state.ts';
import { TINY_MODEL } from '../tiny-training.ts';

const graph = buildGraph(checkModelYaml(parse(TINY_MODEL), 'tiny'), { names: ['red', 'green'] });
const initial = initialState(graph, 3);

/** The state dict and gradient norm after one step. */
async function oneStep(
  freeze: readonly number[],
): Promise<{ values: ReadonlyMap<string, Float32Array>; norm: number; tensors: number }> {
  const { engine } = await openEngine('wasm');
  const rule = UPDATE_RULES.sgd;
  const before = tf.memory().numTensors;
  const extra = { declared: [], values: new Map() };
  const state = startTraining(graph, initial, rule, extra, frozenLayers(freeze, graph));
  const x = tf.tensor4d(
    Float32Array.from({ length: 2 * 64 * 64 * 3 }, (_, i) => ((i * 37) % 101) / 101),
    [2, 64, 64, 3],
  );
  const hard = createHardLoss();
  const target = {
    labels: Float32Array.of(0, 0, 0.5, 0.5, 0.3, 0.3, 1, 1, 0.3, 0.6, 0.2, 0.2),
    labelled: [true, true],
  };
  const context = {
    ops: engine.ops,
    head: graph.head,
    gains: { box: 0.05, obj: 1, cls: 0.5 },
    adapt: (_: string, feature: tf.Tensor4D) => feature,
  };
  const { gradientNorm } = trainStep(state, x, {
    ops: engine.ops,
    rule,
    settings: { accumulate: 1, biasLearningRate: 0.1, learningRate: 0.01, momentum: 0.9 },
    weightDecay: 0.0005,
    clipNorm: undefined,
    features: [],
    loss: (forward) => {
      const terms = hard(forward, target, context);
      return { total: tf.addN<tf.Scalar>(Object.values(terms)), logged: terms };
    },
  });
  const dict = stateDictOf(
    state,
    state.vectors.weights.dataSync<'float32'>(),
    state.vectors.statistics.dataSync<'float32'>(),
    1,
  );
  disposeState(state);
  x.dispose();
  const values = new Map(
    [...dict].flatMap(([key, { data }]) => (data instanceof Float32Array ? [[key, data]] : [])),
  );
  return { values, norm: gradientNorm, tensors: tf.memory().numTensors - before };
}

describe('frozen layers', () => {
  test('one number names the first layers, a list itself; unknown layers and all of them are refused', () => {
    assert.deepEqual([...frozenLayers([3], graph)], [0, 1, 2]);
    assert.deepEqual([...frozenLayers([1, 4], graph)], [1, 4]);
    assert.deepEqual([...frozenLayers([], graph)], []);
    for (const freeze of [[7, 9], [8], [0, 1, 2, 3, 4, 5, 6]]) {
      assert.throws(
        () => frozenLayers(freeze, graph),
        (error) => isSoftshardError(error, 'E_OPTION_CONFLICT'),
      );
    }
  });

  test('stay to the bit, while the others move as without freezing', async () => {
    const free = await oneStep([]);
    const frozen = await oneStep([2]);
    assert.deepEqual([free.tensors, frozen.tensors], [0, 0]);
    assert.ok(frozen.norm < free.norm, `${frozen.norm} ${free.norm}`);
    for (const [key, data] of frozen.values) {
      const isFrozen = /^model\.[01]\./.test(key);
      if (isFrozen && !/running_/.test(key)) assert.deepEqual(data, initial.get(key)?.data, key);
      if (isFrozen && /running_/.test(key)) assert.deepEqual(data, free.values.get(key), key);
      if (!isFrozen) {
        const other = free.values.get(key);
        data.forEach((v, i) => {
          assert.ok(Math.abs(v - (other?.[i] ?? NaN)) <= 1e-6, `${key} ${i}`);
        });
      }
    }
    assert.notDeepEqual(
      frozen.values.get('model.0.bn.running_mean'),
      initial.get('model.0.bn.running_mean')?.data,
    );
    assert.notDeepEqual(free.values.get('model.0.conv.weight'), initial.get('model.0.conv.weight')?.data);
  });
});

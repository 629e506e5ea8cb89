import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import type * as tf from '@tensorflow/tfjs-core';
import { openEngine } from '../../src/engine/select.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { distillationOptions, type HintOptions } from '../../src/loss/distillation-options.ts';
import { createAdapters, drawnAdapters } from '../../src/train/adapters.ts';

const channels = { student: () => 3, teacher: () => 5 };
const hintsOf = (adapterWeights?: string, kind = 'mse'): readonly HintOptions[] =>
  distillationOptions({
    hints: [{ student: 9, teacher: 9, kind, ...(adapterWeights && { adapterWeights }) }],
  }).hints;

describe('adapters that are not trained', async () => {
  await openEngine('cpu');
  const drawn = (weights: string, iteration: number): number[] => {
    const tensors: ReadonlyMap<string, tf.Tensor> = drawnAdapters(hintsOf(weights), channels, {
      ...{ seed: 3, iteration },
    });
    assert.deepEqual([...tensors.keys()], ['adapter.9-9.weight', 'adapter.9-9.bias']);
    assert.deepEqual(tensors.get('adapter.9-9.weight')?.shape, [1, 1, 3, 5]);
    const values = [...tensors.values()].flatMap((tensor) => Array.from(tensor.dataSync()));
    for (const tensor of tensors.values()) tensor.dispose();
    return values;
  };
  const trained = createAdapters(hintsOf(), channels, 3);

  test('are declared to no optimizer; those of other layers of the hint stay', () => {
    assert.equal(trained.declared.length, 2);
    assert.equal(createAdapters(hintsOf('frozen'), channels, 3).declared.length, 0);
    const generator = createAdapters(hintsOf('frozen', 'mgd'), channels, 3).declared;
    assert.deepEqual(
      generator.map(({ key }) => key),
      ['first.weight', 'first.bias', 'second.weight', 'second.bias'].map(
        (part) => `adapter.9-9.generator.${part}`,
      ),
    );
    assert.equal(drawnAdapters(hintsOf(), channels, { seed: 3, iteration: 0 }).size, 0);
  });

  test('a frozen one is where a trained one begins, always', () => {
    const initial = [...trained.values.values()].flatMap((values) => Array.from(values));
    assert.deepEqual(drawn('frozen', 0), initial);
    assert.deepEqual(drawn('frozen', 7), initial);
  });

  test('a redrawn one is another at every batch, and the same for the same', () => {
    assert.deepEqual(drawn('redrawn', 7), drawn('redrawn', 7));
    assert.notDeepEqual(drawn('redrawn', 7), drawn('redrawn', 8));
    assert.deepEqual(drawn('redrawn', 0), drawn('frozen', 0));
  });

  test('an adapter that is not there has no weights', () => {
    const hints = [{ student: 1, teacher: 1, kind: 'at', adapter: 'none', adapterWeights: 'frozen' }];
    assert.throws(
      () => distillationOptions({ hints }),
      (error) => isSoftshardError(error, 'E_LOSS') && /no adapter/.test(error.message),
    );
  });
});

import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { isSoftshardError } from '../../src/errors.ts';
import { chooseEngine, engineRecord } from '../../src/flow/engine-choice.ts';

const native = engineRecord('native', 3, 'AVX2');
const wasm = engineRecord('wasm', 1, 'default');

describe('chooseEngine', () => {
  test('an option goes before the variable, the variable before the record, the record before the best', () => {
    const environment = { SOFTSHARD_ENGINE: 'cpu' };
    assert.equal(chooseEngine({ engine: 'wasm' }, native, environment).name, 'wasm');
    assert.equal(chooseEngine({}, native, environment).name, 'cpu');
    assert.equal(chooseEngine({}, wasm, {}).name, 'wasm');
    assert.equal(chooseEngine({}, undefined, { SOFTSHARD_ENGINE: '' }).name, undefined);
    assert.deepEqual(
      [{ engine: 'wasm' as const }, {}, {}].map(
        (asked, i) => chooseEngine(asked, wasm, i === 1 ? environment : {}).reason,
      ),
      ['asked for', 'named by SOFTSHARD_ENGINE', 'as it was begun'],
    );
  });

  test('threads and instruction set are those of the record, unless another engine or number is asked for', () => {
    const { threads, isa } = chooseEngine({}, native, {});
    assert.deepEqual([threads, isa], [3, 'AVX2']);
    assert.equal(chooseEngine({ threads: 2 }, native, {}).threads, 2);
    assert.equal(chooseEngine({ engine: 'wasm' }, native, {}).isa, 'default');
    assert.ok(chooseEngine({}, wasm, {}).threads >= 1);
  });

  test('a variable that names no engine is usage; a record that names none counts for nothing', () => {
    assert.throws(
      () => chooseEngine({}, undefined, { SOFTSHARD_ENGINE: 'gpu' }),
      (error) => isSoftshardError(error, 'E_USAGE') && /native, wasm, cpu/.test(error.message),
    );
    assert.equal(engineRecord('webgpu', 1, 'default'), undefined);
  });
});

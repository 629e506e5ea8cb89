import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isSoftshardError } from '../../src/errors.ts';
import type { StateDict, TensorData } from '../../src/model/tensor-data.ts';
import { readPt } from '../../src/weights/pt-reader.ts';
import { transferWeights, type TargetShapes } from '../../src/weights/transfer.ts';
import { reference, skipWithoutReference } from '../reference.ts';

const floats = (shape: readonly number[], ...values: number[]): TensorData => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from(values),
});

const source: StateDict = new Map<string, TensorData>([
  ['a.weight', floats([2], 1, 2)],
  ['b.weight', { dtype: 'float16', shape: [1, 2], data: Uint16Array.of(0x3c00, 0xc000) }],
  ['b.num_batches_tracked', { dtype: 'int32', shape: [], data: Int32Array.of(12) }],
  ['d.anchors', floats([1], 5)],
  ['extra', floats([], 0)],
]);
const shapes = (entries: Record<string, readonly number[]>): TargetShapes => new Map(Object.entries(entries));
const whole = shapes({
  'b.num_batches_tracked': [],
  'a.weight': [2],
  'b.weight': [1, 2],
  'd.anchors': [1],
});

describe('transferWeights', () => {
  test('casts to float32 and int64, in the order of the target, and names what is unused', () => {
    const { state, missing, unused, mismatched } = transferWeights(source, whole, 'full');
    assert.deepEqual([...state.keys()], [...whole.keys()]);
    assert.deepEqual(state.get('b.weight'), floats([1, 2], 1, -2));
    assert.deepEqual(state.get('b.num_batches_tracked'), {
      dtype: 'int64',
      shape: [],
      data: BigInt64Array.of(12n),
    });
    assert.deepEqual({ missing, unused, mismatched }, { missing: [], unused: ['extra'], mismatched: [] });
  });

  test('partial reports what is missing or of another shape', () => {
    const target = shapes({ 'a.weight': [3], 'b.weight': [1, 2], 'c.weight': [2], extra: [1] });
    const { state, missing, unused, mismatched } = transferWeights(source, target, 'partial');
    assert.deepEqual([...state.keys()], ['b.weight']);
    assert.deepEqual(missing, ['c.weight']);
    assert.deepEqual(mismatched, [
      { key: 'a.weight', expected: [3], found: [2] },
      { key: 'extra', expected: [1], found: [] },
    ]);
    assert.deepEqual(unused, ['b.num_batches_tracked', 'd.anchors']);
  });

  test('full throws, listing ten keys and the count', () => {
    const target = shapes(Object.fromEntries(Array.from({ length: 13 }, (_, i) => [`layer.${i}`, [1]])));
    assert.throws(
      () => transferWeights(source, target, 'full', { where: 'teacher.pt' }),
      (error) => {
        assert.ok(isSoftshardError(error, 'E_WEIGHTS_TRANSFER'));
        assert.match(error.message, /13 missing: layer\.0, .*layer\.9 and 3 more/);
        assert.equal(error.detail.where, 'teacher.pt');
        return true;
      },
    );
    assert.throws(
      () => transferWeights(source, shapes({ 'a.weight': [3] }), 'full'),
      /1 of another shape: a\.weight \[2\] instead of \[3\]/,
    );
  });

  test('excluded anchors are neither transferred nor missing', () => {
    const target = shapes({ 'a.weight': [2], 'd.anchors': [9], 'e.anchors': [1] });
    const { state, missing, mismatched } = transferWeights(source, target, 'full', { excludeAnchors: true });
    assert.deepEqual([...state.keys()], ['a.weight']);
    assert.deepEqual([missing, mismatched], [[], []]);
  });

  test('a counter that is no whole number is refused', () => {
    const odd: StateDict = new Map([['num_batches_tracked', floats([], NaN)]]);
    assert.throws(
      () => transferWeights(odd, shapes({ num_batches_tracked: [] }), 'full'),
      (error) => isSoftshardError(error, 'E_WEIGHTS_TRANSFER'),
    );
  });

  test('of yolov5n.pt, 343 of 349 fit a model of three classes', { skip: skipWithoutReference }, async () => {
    const teacher = await readPt(reference('weights', 'yolov5n.pt'));
    const other = await readPt(reference('weights', 'bccd-yolov5n.pt'));
    const target = new Map([...other.state].map(([key, { shape }]) => [key, shape]));
    const { state, missing, unused, mismatched } = transferWeights(teacher.state, target, 'partial');
    assert.deepEqual([state.size, missing.length, unused.length], [343, 0, 0]);
    assert.deepEqual(
      mismatched.map(({ key }) => key),
      [0, 1, 2].flatMap((i) => [`model.24.m.${i}.weight`, `model.24.m.${i}.bias`]),
    );
    const dtypes = new Set([...state.values()].map(({ dtype }) => dtype));
    assert.deepEqual(dtypes, new Set(['float32', 'int64']));
  });
});

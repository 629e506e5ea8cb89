/** Real checkpoints against what PyTorch read from them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { toFloat32 } from '../../src/weights/tensor-bytes.ts';
import { readPt } from '../../src/weights/pt-reader.ts';
import { reference, referenceJson, skipWithoutReference } from '../reference.ts';
import { readNpz } from './npz.ts';

const checksums = z.record(
  z.string(),
  z.object({ shape: z.array(z.number()), mean: z.number(), std: z.number(), first: z.array(z.number()) }),
);
const keysBySize = z.record(z.string(), z.array(z.tuple([z.string(), z.array(z.number())])));
const checkpoints = z.record(
  z.string(),
  z.object({
    nc: z.number(),
    names: z.array(z.string()),
    yaml: z.unknown(),
    params: z.number(),
    tensors: z.number(),
    dtype: z.string(),
    stride: z.array(z.number()),
    anchors_grid_units: z.array(z.array(z.array(z.number()))),
    keys: z.object({ epoch: z.number() }),
  }),
);

const relative = (found: number, expected: number): number =>
  Math.abs(found - expected) / Math.max(Math.abs(expected), 1e-12);

describe('yolov5n.pt', { skip: skipWithoutReference }, () => {
  const path = reference('weights', 'yolov5n.pt');

  test('all tensors equal those of PyTorch: shape, mean, deviation, first values', async () => {
    const expected = checksums.parse(referenceJson('ref', 'B_yolov5n_state_checksums.json'));
    const { state } = await readPt(path);
    assert.equal(Object.keys(expected).length, 349);
    assert.deepEqual([...state.keys()], Object.keys(expected));
    for (const [key, tensor] of state) {
      const want = expected[key];
      assert.ok(want !== undefined);
      const { data } = toFloat32(tensor);
      assert.deepEqual(tensor.shape, want.shape, key);
      const mean = data.reduce((sum, x) => sum + x, 0) / data.length;
      const variance = data.reduce((sum, x) => sum + (x - mean) ** 2, 0) / data.length;
      assert.ok(relative(mean, want.mean) <= 1e-6, `${key}: mean ${mean}, expected ${want.mean}`);
      assert.ok(relative(Math.sqrt(variance), want.std) <= 1e-6, `${key}: std ${Math.sqrt(variance)}, expected ${want.std}`); // prettier-ignore
      want.first.forEach((x, i) => assert.ok(relative(data[i] ?? NaN, x) <= 1e-6, `${key}[${i}]`));
    }
  });

  test('keys, shapes and order are those of the state dict', async () => {
    const keys = keysBySize.parse(referenceJson('spec', 'vectors', 'state_dict_keys.json'))['n'];
    const { state } = await readPt(path);
    assert.deepEqual(
      [...state].map(([key, { shape }]) => [key, shape]),
      keys,
    );
  });

  test('the description is the checkpoint’s', async () => {
    const expected = checkpoints.parse(referenceJson('ref', 'F_checkpoints.json'))['yolov5n.pt'];
    assert.ok(expected !== undefined);
    const found = await readPt(path);
    assert.equal(found.nc, expected.nc);
    assert.deepEqual(found.names, expected.names);
    assert.deepEqual(found.yaml, expected.yaml);
    assert.deepEqual(found.stride, expected.stride);
    assert.equal(found.epoch, expected.keys.epoch);
    assert.equal(found.isPickledModel, true);
    assert.equal(found.state.size, expected.tensors);
    const anchors = found.state.get('model.24.anchors');
    assert.ok(anchors !== undefined);
    assert.deepEqual([...toFloat32(anchors).data], expected.anchors_grid_units.flat(2));
    const parameters = [...found.state]
      .filter(([key]) => /\.(weight|bias)$/.test(key))
      .reduce((sum, [, { data }]) => sum + data.length, 0);
    assert.equal(parameters, expected.params);
    const dtypes = new Set([...found.state.values()].map(({ dtype }) => dtype));
    assert.deepEqual([...dtypes], ['float16', 'int64']);
  });
});

describe('other checkpoints', { skip: skipWithoutReference }, () => {
  test('bccd-yolov5n.pt has three classes', async () => {
    const { names, nc, state, yaml, stride } = await readPt(reference('weights', 'bccd-yolov5n.pt'));
    assert.deepEqual(names, ['RBC', 'WBC', 'Platelets']);
    assert.equal(nc, 3);
    assert.deepEqual(stride, [8, 16, 32]);
    assert.equal(z.object({ nc: z.number() }).parse(yaml).nc, 3);
    assert.deepEqual(state.get('model.24.m.0.weight')?.shape, [24, 64, 1, 1]);
    assert.equal(state.size, 349);
  });

  test('E_init_student.pt equals its arrays', async () => {
    const { state, isPickledModel } = await readPt(reference('ref', 'E_init_student.pt'));
    const arrays = await readNpz(reference('ref', 'E_init_student.npz'));
    assert.equal(isPickledModel, false);
    assert.equal(arrays.size, 349);
    assert.deepEqual(new Set(state.keys()), new Set(arrays.keys()));
    for (const [key, { shape, data }] of state) {
      const array = arrays.get(key);
      assert.deepEqual({ shape, data }, array, key);
    }
  });
});

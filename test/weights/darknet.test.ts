import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { openEngine } from '../../src/engine/select.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { loadModel } from '../../src/evaluate/load-model.ts';
import { createInference } from '../../src/model/inference.ts';
import { darknetLogits } from '../../src/model/modules/darknet-head.ts';
import { loadWeights } from '../../src/weights/load.ts';
import { availableEngines } from '../engines.ts';
import { probeImage } from '../model/torchvision-weights.ts';
import { repositoryRoot } from '../reference.ts';
import { darknetBytes, darknetGraph } from './darknet-file.ts';

/** Boxes (cx, cy, w, h in pixels, objectness, classes) by level, row, column, anchor; made by PyTorch of the formula. */
const parity = JSON.parse(
  readFileSync(join(repositoryRoot, 'fixtures', 'parity', 'darknet.json'), 'utf8'),
) as { readonly values: number; readonly boxes: readonly (readonly (readonly number[])[])[] };

const [name = 'wasm'] = availableEngines().reverse();
const { ops } = (await openEngine(name)).engine;
const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));

describe('darknet weights', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-darknet-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));
  const write = async (file: string, bytes: Uint8Array): Promise<string> => {
    await writeFile(join(folder, file), bytes);
    return join(folder, file);
  };

  test('80 classes are the 24,251,276 bytes of the released file', async () => {
    const classes = Array.from({ length: 80 }, (_, i) => String(i));
    const bytes = darknetBytes(darknetGraph(classes));
    assert.equal(bytes.length, 24_251_276);
    const weights = await write('yolov4-tiny.weights', bytes);
    const { graph, state, format } = await loadModel({ weights, cfg: 'yolov4-tiny.yaml' });
    assert.equal(format, 'darknet');
    assert.deepEqual(graph.head.strides, [16, 32]);
    assert.deepEqual(graph.head.anchors[0], [
      [23, 27],
      [37, 58],
      [81, 82],
    ]);
    assert.deepEqual(state.get('model.36.bias')?.shape, [255]);
    // The last value of the file is the last of the last filter.
    assert.equal(state.get('model.36.weight')?.data.at(-1), bytes.readFloatLE(bytes.length - 4));
  });

  test('computes what darknet’s network computes, in YOLOv5’s terms', async () => {
    const names = ['a', 'b'];
    const bytes = darknetBytes(darknetGraph(names));
    assert.equal((bytes.length - 20) / 4, parity.values);
    const weights = await write('two.weights', bytes);
    const { graph, state } = await loadModel({ weights, cfg: 'yolov4-tiny.yaml', names });
    const model = createInference(graph, state, ops);
    const x = tf.tensor4d(probeImage(), [1, 64, 64, 3]);
    const { heads, features } = model.forward(x);
    heads.forEach((head, level) => {
      const [, , nx, na, no] = head.shape;
      const values = head.dataSync<'float32'>();
      const stride = graph.head.strides[level] ?? 0;
      parity.boxes[level]?.forEach((expected, row) => {
        const logits = [...values.subarray(row * no, (row + 1) * no)];
        const s = logits.map(sigmoid);
        const cell = Math.floor(row / na);
        const [aw, ah] = graph.head.anchors[level]?.[row % na] ?? [0, 0];
        const side = (share: number, anchor: number): number => 4 * share ** 2 * anchor;
        const found = [
          (2 * (s[0] ?? 0) - 0.5 + (cell % nx)) * stride,
          (2 * (s[1] ?? 0) - 0.5 + Math.floor(cell / nx)) * stride,
          side(s[2] ?? 0, aw),
          side(s[3] ?? 0, ah),
          ...s.slice(4),
        ];
        expected.forEach((value, k) => {
          const most = k === 2 ? 3.9992 * aw : k === 3 ? 3.9992 * ah : Infinity;
          const wanted = Math.min(value, most);
          const off = Math.abs((found[k] ?? NaN) - wanted);
          const scale = k < 2 ? stride : k < 4 ? Math.max(wanted, 1) : 1;
          assert.ok(off < 1e-3 * scale, `level ${level}, row ${row}, ${k}: ${found[k] ?? NaN} for ${value}`);
        });
      });
    });
    tf.dispose([x, ...heads, ...features.values()]);
    model.dispose();
  });

  test('files that are cut off, or of another network, are refused', async () => {
    const whole = darknetBytes(darknetGraph(['a'], 0.125));
    const cut = await write('cut.weights', whole.subarray(0, whole.length - 3));
    await assert.rejects(
      loadWeights(cut),
      (e) => isSoftshardError(e, 'E_WEIGHTS_FORMAT') && /cut off/.test(e.message),
    );
    for (const [file, bytes] of [
      ['short.weights', whole.subarray(0, whole.length - 4)],
      ['long.weights', Buffer.concat([whole, Buffer.alloc(4)])],
    ] as const) {
      const weights = await write(file, bytes);
      await assert.rejects(
        loadModel({ weights, cfg: 'yolov4-tiny.yaml' }),
        (e) => isSoftshardError(e, 'E_WEIGHTS_FORMAT') && /other values than the model/.test(e.message),
      );
    }
    await assert.rejects(
      loadModel({ weights: await write('whole.weights', whole) }),
      (e) => isSoftshardError(e, 'E_WEIGHTS_FORMAT') && e.message.includes('--cfg'),
    );
  });

  test('the oldest header has 16 bytes', async () => {
    const old = Buffer.alloc(16 + 8);
    old.writeInt32LE(1, 4);
    old.writeFloatLE(2.5, 16);
    const { state } = await loadWeights(await write('old.weights', old));
    assert.deepEqual([...(state.get('darknet')?.data ?? [])], [2.5, 0]);
  });
});

test('extreme logits of a darknet head stay finite', () => {
  const x = tf.tensor4d([-80, 80, -80, 80, 3, -3], [1, 1, 1, 6]);
  const y = darknetLogits(x, { na: 1, no: 6 });
  const [tx = NaN, ty = NaN, tw = NaN, th = NaN, obj, cls] = y.dataSync();
  assert.ok([tx, ty, tw, th].every(Number.isFinite));
  assert.ok(Math.abs(2 * sigmoid(tx) - 0.5 + 0.025) < 1e-5 && Math.abs(2 * sigmoid(ty) - 0.5 - 1.025) < 1e-5);
  assert.ok(Math.abs(4 * sigmoid(th) ** 2 - 3.9992) < 1e-3);
  assert.deepEqual([obj, cls], [3, -3]);
  tf.dispose([x, y]);
});

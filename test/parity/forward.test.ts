import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { openEngine } from '../../src/engine/select.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { buildGraph } from '../../src/model/graph.ts';
import { createInference, type InferenceModel } from '../../src/model/inference.ts';
import { checkModelYaml } from '../../src/model/model-yaml.ts';
import { readPt } from '../../src/weights/pt-reader.ts';
import { toFloat32 } from '../../src/weights/tensor-bytes.ts';
import { reference, referenceFloats, referenceNpy, skipWithoutReference } from '../reference.ts';
import { availableEngines } from '../engines.ts';

/** Largest absolute difference of grid-layout heads [ny,nx,na,no] of image `image` against [B,na,ny,nx,no]. */
function headError(actual: Float32Array, expected: Float32Array, shape: readonly number[]): number {
  const [b = 1, na = 3, ny = 1, nx = 1, no = 85] = shape;
  let worst = 0;
  let at = 0;
  for (let i = 0; i < b; i++) {
    for (let y = 0; y < ny; y++) {
      for (let x = 0; x < nx; x++) {
        for (let a = 0; a < na; a++) {
          const base = (((i * na + a) * ny + y) * nx + x) * no;
          for (let k = 0; k < no; k++, at++) {
            worst = Math.max(worst, Math.abs((actual[at] ?? NaN) - (expected[base + k] ?? NaN)));
          }
        }
      }
    }
  }
  assert.equal(at, expected.length);
  return worst;
}

const input = (name: string): tf.Tensor4D => {
  const { shape, data } = referenceNpy(name);
  return tf.tidy(() =>
    tf.div(
      tf.tensor4d(Float32Array.from(data as Uint8Array), shape as [number, number, number, number]),
      255,
    ),
  );
};

for (const name of availableEngines()) {
  describe(`yolov5n.pt on ${name}`, { skip: skipWithoutReference }, () => {
    let engine: Engine;
    let folded: InferenceModel;
    let plain: InferenceModel;
    before(async () => {
      ({ engine } = await openEngine(name));
      const { state, yaml, names } = await readPt(reference('weights', 'yolov5n.pt'));
      const graph = buildGraph(checkModelYaml(yaml, 'yolov5n.pt'), { names: names ?? [] });
      const float32 = new Map([...state].map(([key, tensor]) => [key, toFloat32(tensor)]));
      folded = createInference(graph, float32, engine.ops);
      plain = createInference(graph, float32, engine.ops, { fold: false });
    });
    after(() => {
      folded.dispose();
      plain.dispose();
    });

    // MANIFEST: absolute 2e-4 (PyTorch float32 against float64 is 1.7e-5).
    for (const [size, variants] of [
      [320, ['plain', 'folded']],
      [640, ['folded']],
    ] as const) {
      for (const variant of variants) {
        test(`raw heads at ${size}, batch norm ${variant}`, () => {
          const before_ = tf.memory().numTensors;
          const x = input(`B_input_${size}_u8.npy`);
          const { heads } = (variant === 'plain' ? plain : folded).forward(x);
          heads.forEach((head, level) => {
            const expected = referenceFloats(`B_heads_${size}_p${level + 3}.npy`);
            const error = headError(head.dataSync() as Float32Array, expected.data, expected.shape);
            assert.ok(error < 2e-4, `level ${level}: ${error}`);
          });
          tf.dispose([x, ...heads]);
          assert.equal(tf.memory().numTensors, before_);
        });
      }
    }

    test('features of layers 4, 6, 9, 17, 20, 23', () => {
      const layers = [4, 6, 9, 17, 20, 23];
      const x = tf.tidy(() => tf.slice(input('B_input_320_u8.npy'), 0, 1));
      const { heads, features } = plain.forward(x, layers);
      for (const layer of layers) {
        const expected = referenceFloats(`B_feat_320_img0_layer${layer}.npy`);
        const actual = tf.tidy(() =>
          tf.transpose(features.get(layer) as tf.Tensor4D, [0, 3, 1, 2]).dataSync(),
        );
        assert.equal(actual.length, expected.data.length);
        const error = expected.data.reduce(
          (worst, v, i) => Math.max(worst, Math.abs(v - (actual[i] ?? NaN))),
          0,
        );
        assert.ok(error < 3e-4, `layer ${layer}: ${error}`);
      }
      tf.dispose([x, ...heads, ...features.values()]);
    });
  });
}

/** The official checkpoint as a graph model, on real images, against the original's decoded boxes. */
import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { openEngine } from '../../src/engine/select.ts';
import { loadModel } from '../../src/evaluate/load-model.ts';
import { checkDifference, compareTfjs } from '../../src/export/check-tfjs.ts';
import { tfjsGraph, INPUT, OUTPUT } from '../../src/export/tfjs-graph.ts';
import { readTfjsFiles, tfjsFiles } from '../../src/export/tfjs-files.ts';
import { availableEngines } from '../engines.ts';
import { reference, referenceFloats, referenceNpy, skipWithoutReference } from '../reference.ts';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

for (const name of availableEngines()) {
  describe(`yolov5n.pt as a graph model on ${name}`, { skip: skipWithoutReference }, () => {
    test('decodes four real images as the original does', async () => {
      const { engine } = await openEngine(name);
      const source = await loadModel({ weights: reference('weights', 'yolov5n.pt') });
      const folder = await mkdtemp(join(tmpdir(), 'softshard-export-'));
      const files = tfjsFiles({
        graph: await tfjsGraph(source.graph, source.state, 320),
        input: { name: INPUT, shape: [-1, 320, 320, 3] },
        output: { name: OUTPUT, shape: [-1, 6300, 85] },
        metadata: {},
      });
      for (const [file, bytes] of files) await writeFile(join(folder, file), bytes);
      const artifacts = await readTfjsFiles(folder);
      await rm(folder, { recursive: true });

      const { shape, data } = referenceNpy('B_input_320_u8.npy');
      const x = tf.tidy(() =>
        tf.div<tf.Tensor4D>(
          tf.tensor4d(Float32Array.from(data as Uint8Array), shape as [number, number, number, number]),
          255,
        ),
      );
      checkDifference(await compareTfjs(artifacts, source, engine, x), 'yolov5n');

      const model = await loadGraphModel({ load: () => Promise.resolve(artifacts) });
      const rows = model.predict(x) as tf.Tensor3D;
      const expected = referenceFloats('B_decoded_320.npy');
      assert.deepEqual(rows.shape, expected.shape);
      const values = await rows.data<'float32'>();
      let [pixels, scores] = [0, 0];
      values.forEach((value, i) => {
        const error = Math.abs(value - (expected.data[i] ?? NaN));
        if (i % 85 < 4) pixels = Math.max(pixels, error);
        else scores = Math.max(scores, error);
      });
      // MANIFEST: 1e-2 pixels, 1e-5 of probability.
      assert.ok(pixels < 1e-2 && scores < 1e-5, `${pixels} pixels, ${scores} of probability`);
      model.dispose();
      tf.dispose([x, rows]);
    });
  });
}

/** mAP of the official checkpoint on coco128 against that of the original's validation. */
import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { z } from 'zod';
import type { Sample } from '../../src/data/sample.ts';
import type { Detection } from '../../src/metric/box.ts';
import { readDataset } from '../../src/data/read-dataset.ts';
import { openEngine } from '../../src/engine/select.ts';
import { evaluateModel } from '../../src/evaluate/evaluate-model.ts';
import { loadInference } from '../../src/evaluate/load-model.ts';
import { availableEngines } from '../engines.ts';
import { reference, referenceFloats, referenceJson, skipWithoutReference } from '../reference.ts';

const rows = z.array(
  z.object({
    imgsz: z.number(),
    rect: z.boolean(),
    batch: z.number(),
    P: z.number(),
    R: z.number(),
    mAP50: z.number(),
    mAP50_95: z.number(),
    detections: z.number(),
    per_class: z.array(z.object({ cls: z.number(), instances: z.number(), mAP50: z.number() })),
  }),
);

// wasm is slow (one thread): one case stands for all there.
const LONG = process.env['SOFTSHARD_TEST_LONG'] === '1';
const cases = [
  [320, false],
  [320, true],
  [640, false],
  [640, true],
] as const;
const native = availableEngines().includes('native');

/** MANIFEST: boxes 0.05 px and scores 1e-4 for scores above 0.05. */
function checkDetections(samples: readonly Sample[], found: ReadonlyMap<number, readonly Detection[]>): void {
  const { data, shape } = referenceFloats('F_detections_yolov5n_coco128_320_square.npy');
  const byImage = new Map(
    samples.map(({ path, index }) => [Number(basename(path, '.jpg')), found.get(index)]),
  );
  let compared = 0;
  for (let row = 0; row < (shape[0] ?? 0); row++) {
    const [image = 0, category, score = 0, x = 0, y = 0, w = 0, h = 0] = data.subarray(row * 7, row * 7 + 7);
    if (score <= 0.05) continue;
    const twin = byImage
      .get(image)
      ?.some(
        (d) =>
          d.classIndex === category &&
          Math.abs(d.score - score) < 1e-4 &&
          Math.abs(d.x1 - x) < 0.05 &&
          Math.abs(d.y1 - y) < 0.05 &&
          Math.abs(d.x2 - d.x1 - w) < 0.05 &&
          Math.abs(d.y2 - d.y1 - h) < 0.05,
      );
    assert.ok(
      twin === true,
      `image ${image}: no detection (${String(category)}, ${score}, ${x}, ${y}, ${w}, ${h})`,
    );
    compared++;
  }
  assert.ok(compared > 500);
}

for (const name of LONG ? availableEngines() : ([native ? 'native' : 'wasm'] as const)) {
  describe(`yolov5n.pt on coco128 on ${name}`, { skip: skipWithoutReference }, () => {
    for (const [imageSize, rect] of name === 'native' || LONG ? cases : cases.slice(0, 1)) {
      test(`${imageSize} ${rect ? 'rect' : 'square'}`, async () => {
        const expected = rows
          .parse(referenceJson('ref', 'F_map.json'))
          .find((row) => row.imgsz === imageSize && row.rect === rect && row.batch === 8);
        assert.ok(expected !== undefined);
        const { engine } = await openEngine(name);
        const dataset = await readDataset({
          data: reference('data', 'coco128'),
          badImages: 'error',
        });
        const { model, names } = await loadInference({ weights: reference('weights', 'yolov5n.pt'), engine });
        const { metrics, detections } = await evaluateModel({
          model,
          engine,
          dataset: { ...dataset, names, namesKnown: true },
          imageSize,
          batchSize: 8,
          rect,
          keepDetections: dataset.samples.map(({ index }) => index),
        });
        model.dispose();
        const count = [...detections.values()].reduce((sum, found) => sum + found.length, 0);
        assert.ok(
          Math.abs(count - expected.detections) < 10,
          `${count} detections, not ${expected.detections}`,
        );
        assert.equal(metrics.images, 128);
        // MANIFEST: 0.003 overall (ties, resize), 0.03 a class.
        for (const key of ['mAP50', 'mAP50_95'] as const) {
          assert.ok(
            Math.abs(metrics[key] - expected[key]) < 0.003,
            `${key} ${metrics[key]}, not ${expected[key]}`,
          );
        }
        if (imageSize === 320 && !rect) checkDetections(dataset.samples, detections);
        for (const { cls, instances, mAP50 } of expected.per_class) {
          const found = metrics.per_class.find((c) => c.class === cls);
          assert.equal(found?.instances, instances);
          assert.ok(Math.abs(found.mAP50 - mAP50) < 0.03, `class ${cls}: ${found.mAP50}, not ${mAP50}`);
        }
      });
    }
  });
}

import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { isSoftshardError } from '../../src/errors.ts';
import type { BoxLabel } from '../../src/data/sample.ts';
import type { Detection } from '../../src/metric/box.ts';
import { detectionMetrics, type EvaluationResult } from '../../src/metric/detection-metrics.ts';
import { labelBoxes } from '../../src/metric/label-boxes.ts';
import { reference, referenceFloats, referenceJson, skipWithoutReference } from '../reference.ts';

const names = Array.from({ length: 80 }, (_, i) => `class ${i}`);

interface ImageEntry {
  readonly file: string;
  readonly w: number;
  readonly h: number;
}

function labelsOf(stem: string): BoxLabel[] {
  const file = reference('data', 'coco128', 'labels', 'train2017', `${stem}.txt`);
  if (!existsSync(file)) return [];
  const rows = readFileSync(file, 'utf8').split('\n');
  return rows
    .filter((row) => row.trim() !== '')
    .map((row) => {
      const [classIndex = 0, cx = 0, cy = 0, w = 0, h = 0] = row.trim().split(/\s+/).map(Number);
      return { classIndex, cx, cy, w, h };
    });
}

/** Evaluates rows (image, class, score, x, y, w, h) against coco128's labels, images in any order. */
function evaluate(rows: readonly (readonly number[])[]): { result: EvaluationResult; maps: Float64Array } {
  const check = referenceJson('ref', 'A_dataset_check.json') as { coco128: { files: ImageEntry[] } };
  const metrics = detectionMetrics(names);
  for (const { file, w: width, h: height } of check.coco128.files) {
    const stem = file.replace('.jpg', '');
    const found = rows
      .filter(([image]) => image === Number(stem))
      .map(([, classIndex = 0, score = 0, x = 0, y = 0, w = 0, h = 0]): Detection => {
        return { classIndex, score, x1: x, y1: y, x2: x + w, y2: y + h };
      })
      .sort((a, b) => b.score - a.score);
    metrics.add(found, labelBoxes(labelsOf(stem), { width, height }));
  }
  return { result: metrics.result(), maps: metrics.maps() };
}

type Summary = Record<'P' | 'R' | 'mAP50' | 'mAP50_95', number>;
interface ReferenceResult extends Summary {
  readonly imgsz: number;
  readonly rect: boolean;
  readonly batch: number;
  readonly per_class: readonly (Summary & { cls: number; instances: number })[];
}

/** Within 0.003 overall, 0.03 a class, counts exactly. */
function compare(result: EvaluationResult, imgsz: number, rect: boolean): void {
  const all = referenceJson('ref', 'F_map.json') as ReferenceResult[];
  const expected = all.find((e) => e.imgsz === imgsz && e.rect === rect && e.batch === 8);
  assert.ok(expected !== undefined);
  assert.equal(result.images, 128);
  assert.equal(result.instances, 929);
  const keys = ['P', 'R', 'mAP50', 'mAP50_95'] as const;
  for (const key of keys) {
    assert.ok(Math.abs(result[key] - expected[key]) < 0.003, `${key} ${result[key]} is not ${expected[key]}`);
  }
  assert.deepEqual(
    result.per_class.map((c) => [c.class, c.instances]),
    expected.per_class.map((c) => [c.cls, c.instances]),
  );
  result.per_class.forEach((c, i) => {
    for (const key of ['mAP50', 'mAP50_95'] as const) {
      assert.ok(
        Math.abs(c[key] - (expected.per_class[i]?.[key] ?? NaN)) < 0.03,
        `${key} of class ${c.class}`,
      );
    }
  });
}

describe('mAP of the reference detections on coco128', { skip: skipWithoutReference }, () => {
  test('is the reference at 640, rectangular', () => {
    const rows = (
      referenceJson('ref', 'F_detections_yolov5n_coco128_640_rect.json') as {
        image_id: number;
        category_id: number;
        bbox: number[];
        score: number;
      }[]
    ).map((d) => [d.image_id, d.category_id, d.score, ...d.bbox]);
    compare(evaluate(rows).result, 640, true);
  });

  test('is the reference at 320, square', () => {
    const { data, shape } = referenceFloats('F_detections_yolov5n_coco128_320_square.npy');
    const rows = Array.from({ length: shape[0] ?? 0 }, (_, i) => Array.from(data.subarray(i * 7, i * 7 + 7)));
    const { result, maps } = evaluate(rows);
    compare(result, 320, false);
    assert.equal(maps.length, 80);
    assert.equal(maps[0], result.per_class[0]?.mAP50_95);
    assert.equal(maps[10], result.mAP50_95);
  });
});

describe('the accumulator', () => {
  const box = { x1: 0, y1: 0, x2: 10, y2: 10 };

  test('has exactly the fields that evaluate prints', () => {
    const metrics = detectionMetrics(['a', 'b']);
    metrics.add([{ ...box, score: 0.9, classIndex: 1 }], [{ ...box, classIndex: 1 }]);
    const result = metrics.result();
    assert.deepEqual(Object.keys(result), [
      'images',
      'instances',
      'P',
      'R',
      'mAP50',
      'mAP50_95',
      'per_class',
    ]);
    assert.deepEqual(Object.keys(result.per_class[0] ?? {}), [
      'class',
      'name',
      'instances',
      'P',
      'R',
      'mAP50',
      'mAP50_95',
    ]);
    assert.deepEqual([result.images, result.instances, result.per_class[0]?.name], [1, 1, 'b']);
  });

  test('does not depend on the order of images', () => {
    const images = Array.from({ length: 12 }, (_, i) => ({
      found: [
        { ...box, x2: 10 + (i % 3), score: 0.9 - i / 20, classIndex: i % 2 },
        { ...box, x1: 5, score: 0.1 + i / 1000, classIndex: 1 },
      ],
      labels: [{ ...box, classIndex: (i * 5) % 2 }],
    }));
    const run = (list: typeof images): EvaluationResult => {
      const metrics = detectionMetrics(['a', 'b']);
      for (const { found, labels } of list) metrics.add(found, labels);
      return metrics.result();
    };
    assert.deepEqual(run(images.toReversed()), run(images));
  });

  test('is all zero without labels, and counts images without detections', () => {
    const metrics = detectionMetrics(['a']);
    assert.equal(metrics.result().mAP50, 0);
    metrics.add([{ ...box, score: 0.9, classIndex: 0 }], []);
    assert.deepEqual(metrics.result(), {
      images: 1,
      instances: 0,
      P: 0,
      R: 0,
      mAP50: 0,
      mAP50_95: 0,
      per_class: [],
    });
    metrics.add([], [{ ...box, classIndex: 0 }]);
    assert.equal(metrics.result().images, 2);
    assert.equal(metrics.result().per_class[0]?.mAP50, 0);
  });

  test('refuses a label of an unknown class and stays as it was', () => {
    const metrics = detectionMetrics(['a']);
    assert.throws(
      () => metrics.add([], [{ ...box, classIndex: 1 }]),
      (error) => isSoftshardError(error, 'E_LABEL'),
    );
    assert.equal(metrics.result().images, 0);
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Sample } from '../../src/data/sample.ts';
import { annotationsOf } from '../../src/evaluate/annotations-of.ts';
import { cocoFigures, cocoText, withCocoPrecision } from '../../src/evaluate/coco-evaluation.ts';
import { cocoMetrics } from '../../src/metric/coco-metrics.ts';
import { detectionMetrics } from '../../src/metric/detection-metrics.ts';

const sample: Sample = {
  index: 0,
  path: 'a.png',
  file: '/a.png',
  digest: '',
  width: 200,
  height: 100,
  labels: [{ classIndex: 1, cx: 0.5, cy: 0.5, w: 0.25, h: 0.5 }],
};

describe('evaluation by COCO', () => {
  test('takes boxes as objects of their own area where a label file has no more', () => {
    assert.deepEqual(annotationsOf(sample), [
      { classIndex: 1, left: 75, top: 25, width: 50, height: 50, area: 2500, kind: 'object' },
    ]);
    const annotations = [
      { classIndex: 0, left: 1, top: 2, width: 3, height: 4, area: 5, kind: 'crowd' },
    ] as const;
    assert.equal(annotationsOf({ ...sample, annotations }), annotations);
  });

  test('replaces mAP and keeps precision and recall', () => {
    const detection = { classIndex: 1, x1: 75, y1: 25, x2: 125, y2: 75, score: 0.5 };
    const yolo = detectionMetrics(['a', 'b']);
    yolo.add([detection], [detection]);
    const coco = cocoMetrics(['a', 'b']);
    coco.add(0, [detection], annotationsOf(sample));
    const before = yolo.result();
    const after = withCocoPrecision(before, coco.result());
    assert.deepEqual([before.mAP50.toFixed(9), after.mAP50.toFixed(9)], ['0.995000000', '1.000000000']);
    assert.deepEqual([after.P, after.R], [before.P, before.R]);
    assert.equal(after.per_class[0]?.mAP50_95.toFixed(9), '1.000000000');
    assert.match(cocoText(cocoFigures(coco.result())), /^COCO: AP 1\.0000, .*\n {6}AR1 1\.0000, .*ARl –$/);
  });
});

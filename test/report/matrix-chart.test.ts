import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { detectionMetrics } from '../../src/metric/detection-metrics.ts';
import { detectionCurves, labelCurves } from '../../src/report/detection-curves.ts';
import { columnShares, renderMatrix } from '../../src/report/matrix-chart.ts';
import { markupFault } from './markup.ts';

describe('confusion matrix', () => {
  const counts = [
    [3, 1, 2],
    [1, 0, 0],
    [0, 0, 0],
  ];

  test('columns are shared out; an empty one stays empty', () => {
    assert.deepEqual(columnShares(counts), [
      [0.75, 1, 1],
      [0.25, 0, 0],
      [0, 0, 0],
    ]);
  });

  test('is well-formed, escaped, and says each count', () => {
    const svg = renderMatrix({ title: 'A & B', counts, names: ['<cat>', 'dog'] });
    assert.equal(markupFault(svg), undefined);
    assert.match(svg, /&lt;cat&gt; for dog: 1</);
    assert.match(svg, /background for background: 0</);
    assert.match(svg, />0\.75</);
  });

  test('of many classes the first are drawn', () => {
    const n = 81;
    const many = Array.from({ length: n }, () => new Array<number>(n).fill(1));
    const names = Array.from({ length: 80 }, (_, c) => `class ${c}`);
    assert.equal(renderMatrix({ title: 'many', counts: many, names }).match(/<rect/g)?.length, 31 * 31);
  });
});

describe('curves of an evaluation', () => {
  test('a perfect detection has precision 1 up to its recall, and F1 1 below its score', () => {
    const box = { classIndex: 0, x1: 1, y1: 1, x2: 9, y2: 9, score: 0.5 };
    const metrics = detectionMetrics(['a', 'b']);
    metrics.add([box], [box]);
    const [overRecall, overConfidence] = detectionCurves('student', metrics.curves());
    const precision = overRecall?.series[0]?.points.map(([, y]) => y) ?? [];
    assert.ok(precision.slice(0, 100).every((y) => y === 1));
    const f1 = overConfidence?.series[0]?.points ?? [];
    assert.equal(f1.length, 1000);
    assert.ok(f1.every(([x, y]) => (x < 0.5 ? y > 0.999 : y < 1e-9)));
  });

  test('labels are shared out over bins', () => {
    assert.deepEqual(labelCurves([]), []);
    const [places] = labelCurves([{ classIndex: 0, cx: 1, cy: 0.5, w: 0.1, h: 0.2 }]);
    const x = places?.series[0]?.points ?? [];
    assert.equal(x.at(-1)?.[1], 1);
    assert.equal(
      x.reduce((sum, [, y]) => sum + y, 0),
      1,
    );
  });
});

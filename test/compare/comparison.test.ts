import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { compareMethods } from '../../src/compare/comparison.ts';
import { comparisonChart } from '../../src/compare/comparison-files.ts';
import { comparisonCells, comparisonMarkdown, comparisonText } from '../../src/compare/comparison-text.ts';
import type { MethodRun } from '../../src/compare/method-run.ts';
import { bestOf, pairedDifference, spreadOf } from '../../src/compare/paired.ts';
import { renderDotChart } from '../../src/report/dot-chart.ts';
import { markupFault } from '../report/markup.ts';

const close = (actual: number | null | undefined, expected: number): void => {
  assert.ok(Math.abs((actual ?? NaN) - expected) < 1e-12, `${actual} is not ${expected}`);
};

const run = (method: string, seed: number, ap: number, teach: number | null = null): MethodRun => ({
  ...{ method, seed, steps: 300, readsTeacher: teach !== null, lossScale: teach === null ? 1 : 2 },
  ...{ metrics: { mAP50_95: ap, mAP50: 2 * ap }, seconds: { teach, train: 100 } },
});

const runs = [
  ...[run('labels', 0, 0.2), run('labels', 1, 0.22), run('labels', 2, 0.21)],
  ...[run('double', 0, 0.24), run('double', 1, 0.26), run('double', 2, 0.25)],
  ...[run('soft', 0, 0.25, 60), run('soft', 1, 0.29, 60)],
];
const comparison = compareMethods(
  runs,
  ['labels', 'double', 'soft', 'cwd'],
  ['labels', 'double'],
  ['mAP50_95', 'mAP50'],
);

describe('comparison of methods', () => {
  test('means and sample deviations', () => {
    close(spreadOf([1, 2, 3, 4])?.mean, 2.5);
    close(spreadOf([1, 2, 3, 4])?.deviation, Math.sqrt(5 / 3));
    assert.equal(spreadOf([1])?.deviation, null);
    assert.equal(spreadOf([]), undefined);
  });

  test('differences are those of the seeds that both have', () => {
    const ours = new Map([[0, 1], [1, 5], [7, 9]]); // prettier-ignore
    const theirs = new Map([[1, 2], [0, 0], [3, 9]]); // prettier-ignore
    const found = pairedDifference(ours, theirs);
    close(found?.mean, 2);
    close(found?.deviation, Math.SQRT2);
    assert.equal(found?.count, 2);
    assert.equal(pairedDifference(ours, new Map()), undefined);
  });

  test('all are measured against the better control', () => {
    assert.equal(comparison.control, 'double');
    assert.equal(bestOf([['a', new Map()]]), undefined);
    const [labels, double, soft, cwd] = comparison.rows;
    close(labels?.difference?.mean, -0.04);
    assert.equal(double?.difference, undefined);
    close(soft?.difference?.mean, 0.02);
    assert.equal(soft?.difference?.count, 2);
    assert.deepEqual(cwd?.metrics, [undefined, undefined]);
  });

  test('the teacher is counted once, and what asking it anew would have been is said', () => {
    const { teacher } = comparison;
    close(teacher?.share, 60 / 860);
    close(teacher?.shareAnew, 120 / 920);
    assert.equal(compareMethods(runs.slice(0, 6), ['labels'], ['labels'], ['mAP50_95']).teacher, undefined);
  });

  test('the table says what is missing', () => {
    const rows = comparisonCells(comparison);
    assert.deepEqual(rows[3]?.slice(0, 5), ['soft', '0.270 ± 0.028', '0.540 ± 0.057', '+0.020 ± 0.014', '2']);
    assert.deepEqual(rows[4], ['cwd', '–', '–', '–', '0', '–', '–', '–']);
    assert.match(comparisonText(comparison), /7\.0 % of teaching and training/);
    assert.match(comparisonMarkdown(comparison), /^\| double \| 0\.250 ± 0\.010 \| .* \| control \| 3 \|/m);
  });

  test('the chart is well-formed and has a dot a value', () => {
    const svg = renderDotChart(comparisonChart(comparison));
    assert.equal(markupFault(svg), undefined);
    assert.equal(svg.match(/<circle/g)?.length, runs.length);
    assert.match(svg, /not measured/);
    assert.equal(
      markupFault(renderDotChart({ title: '<', xLabel: '&', rows: [{ name: '<', values: [NaN] }] })),
      undefined,
    );
  });
});

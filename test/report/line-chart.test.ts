import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { horizontalAxis, logarithmicAxis, verticalAxis } from '../../src/report/axis.ts';
import { spread } from '../../src/report/label-column.ts';
import { renderLineChart } from '../../src/report/line-chart.ts';
import { segments, thinned, type PixelPoint } from '../../src/report/line-path.ts';
import type { Curve } from '../../src/report/report-input.ts';
import { fitText, textWidth } from '../../src/report/text-width.ts';
import { formatTicks, logTicks, niceTicks } from '../../src/report/ticks.ts';
import { markupFault } from './markup.ts';

const chart = (points: readonly (readonly [number, number])[], more: Partial<Curve> = {}): string =>
  renderLineChart({ title: 'loss', xLabel: 'epoch', series: [{ name: 'box', points }], ...more });

const lines = (svg: string): number => svg.match(/<path d="[^"]*" class="line"/g)?.length ?? 0;
const dots = (svg: string): number => svg.match(/<circle/g)?.length ?? 0;
/** A legend draws one line a series. */
const LEGEND = 1;

const numbers = fc.double({ min: -1e6, max: 1e6, noNaN: true });

describe('ticks', () => {
  test('are round and lie inside, or just outside when loose', () => {
    assert.deepEqual(niceTicks(0, 1), [0, 0.2, 0.4, 0.6, 0.8, 1]);
    assert.deepEqual(niceTicks(0.03, 0.29), [0.1, 0.2]);
    assert.deepEqual(niceTicks(0.03, 0.29, { loose: true }), [0, 0.1, 0.2, 0.3]);
    assert.deepEqual(niceTicks(0, 3, { count: 7, whole: true }), [0, 1, 2, 3]);
    assert.deepEqual(niceTicks(-5, 5), [-4, -2, 0, 2, 4]);
  });

  test('are few, ascending, and span the values when loose', () => {
    fc.assert(
      fc.property(numbers, fc.double({ min: 1e-3, max: 1e6, noNaN: true }), (min, range) => {
        const ticks = niceTicks(min, min + range, { loose: true });
        assert.ok(ticks.length >= 2 && ticks.length <= 9);
        assert.ok((ticks[0] ?? NaN) <= min + range * 1e-5);
        assert.ok((ticks.at(-1) ?? NaN) >= min + range - range * 1e-5);
        ticks.slice(1).forEach((tick, i) => assert.ok(tick > (ticks[i] ?? NaN)));
        // The written forms differ where the ticks do, as long as the offset does not drown the step.
        if (Math.abs(min) < 1e3 * range) assert.equal(new Set(formatTicks(ticks)).size, ticks.length);
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  test('on a logarithmic axis are powers of ten, or finer when few', () => {
    assert.deepEqual(logTicks(0.0005, 20), [0.001, 0.01, 0.1, 1, 10]);
    assert.deepEqual(logTicks(1, 10), [1, 2, 5, 10]);
    assert.deepEqual(logTicks(3, 3.4), [3, 3.1, 3.2, 3.3, 3.4]);
    assert.ok(logTicks(1e-20, 1e20).length <= 8);
  });

  test('are written short and alike', () => {
    assert.deepEqual(formatTicks([0, 0.25, 0.5]), ['0', '0.25', '0.50']);
    assert.deepEqual(formatTicks([0, 20000, 120000]), ['0', '20k', '120k']);
    assert.deepEqual(formatTicks([1e6, 2.5e6]), ['1.0M', '2.5M']);
    assert.deepEqual(formatTicks([0, 2e-5, 4e-5]), ['0', '2e-5', '4e-5']);
    assert.deepEqual(formatTicks([0.001, 0.1, 10]), ['0.001', '0.1', '10']);
    assert.deepEqual(formatTicks([-1, 0, 1]), ['\u22121', '0', '1']);
    assert.deepEqual(formatTicks([0]), ['0']);
  });
});

describe('axes', () => {
  test('place every value between 0 and 1', () => {
    fc.assert(
      fc.property(fc.array(numbers, { minLength: 1, maxLength: 20 }), (values) => {
        for (const axis of [horizontalAxis(values), verticalAxis(values)]) {
          assert.ok(axis !== undefined && axis.ticks.length >= 1);
          for (const value of values) {
            const at = axis.place(value) ?? NaN;
            assert.ok(at >= -1e-6 && at <= 1 + 1e-6);
          }
        }
        const positive = values.map(Math.abs).filter((value) => value > 1e-250);
        const axis = logarithmicAxis(positive);
        for (const value of positive) {
          const at = axis?.place(value) ?? NaN;
          assert.ok(at > 0 && at < 1);
        }
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  test('have no place for what cannot be drawn', () => {
    assert.equal(verticalAxis([]), undefined);
    assert.equal(logarithmicAxis([0, -1]), undefined);
    assert.equal(logarithmicAxis([1, 2])?.place(0), undefined);
    assert.equal(verticalAxis([1, Infinity])?.place(Infinity), undefined);
  });

  test('span everything between the limits', () => {
    const axis = logarithmicAxis([1e-250, 1e250]);
    assert.ok((axis?.place(1e-250) ?? NaN) > 0 && (axis?.place(1e250) ?? NaN) < 1);
    assert.equal(verticalAxis([-1e250, 1e250])?.place(0), 0.5);
  });

  test('begin at zero when the values come near it', () => {
    assert.equal(verticalAxis([0.1, 0.9])?.place(0), 0);
    assert.ok((verticalAxis([0.8, 0.9])?.place(0) ?? NaN) < 0);
  });
});

describe('a line chart', () => {
  test('breaks the line at gaps and draws lonely points as dots', () => {
    const svg = chart([
      [0, 1],
      [1, 2],
      [2, NaN],
      [3, 3],
      [4, NaN],
      [5, 1],
      [6, 2],
    ]);
    assert.equal(lines(svg) - LEGEND, 2);
    assert.equal(dots(svg), 1);
    assert.equal(markupFault(svg), undefined);
  });

  test('draws a single point, equal values and nothing at all', () => {
    assert.equal(dots(chart([[3, 0.5]])), 1);
    const flat = chart([
      [0, 2],
      [1, 2],
    ]);
    assert.equal(lines(flat) - LEGEND, 1);
    for (const points of [[], [[0, NaN] as const]]) assert.match(chart(points), /no values to draw/);
    assert.match(chart([[0, -1]], { logY: true }), /no values to draw/);
    assert.match(renderLineChart({ title: '', xLabel: '', series: [] }), /no values to draw/);
  });

  test('never writes a number that is none, and stays well formed', () => {
    const value = fc.oneof(
      numbers,
      fc.constantFrom(NaN, Infinity, -Infinity, 0, 1, 1 + 2e-16, 1e308, -1e308, 5e-324),
    );
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.tuple(fc.nat(50), value), { maxLength: 12 }), { maxLength: 9 }),
        fc.boolean(),
        fc.string({ unit: 'binary', maxLength: 40 }),
        (series, logY, name) => {
          const svg = renderLineChart({
            title: name,
            xLabel: name,
            series: series.map((points, i) => ({ name: `${name}${i}`, points })),
            logY,
          });
          assert.equal(markupFault(svg), undefined);
          for (const [, data] of svg.matchAll(/ (?:d|x|y|cx|cy)="([^"]*)"/g)) {
            assert.doesNotMatch(data ?? '', /NaN|Infinity|undefined/);
          }
        },
      ),
      { numRuns: 200, seed: 1 },
    );
  });

  test('names its lines in the legend, with the last value, and at their ends', () => {
    const svg = chart([
      [0, 1],
      [1, 0.12345],
      [2, NaN],
    ]);
    assert.equal(svg.match(/>box</g)?.length, 4, 'two tooltips, legend and end');
    assert.match(svg, />0\.1235<|>0\.1234</);
  });

  test('stays small with many points', () => {
    const points = Array.from({ length: 100_000 }, (_, i): [number, number] => [i, Math.sin(i)]);
    assert.ok(chart(points).length < 60_000);
  });

  test('gives lines distinct strokes, by colour first, then by dash', () => {
    const names = Array.from({ length: 18 }, (_, i) => `line ${i}`);
    const svg = renderLineChart({
      title: 't',
      xLabel: 'x',
      series: names.map((name, i) => ({
        name,
        points: [
          [0, i],
          [1, i],
        ],
      })),
    });
    const styles = [...svg.matchAll(/class="line" style="([^"]*)"/g)].map(([, style]) => style);
    assert.equal(new Set(styles).size, 18);
  });
});

describe('a line', () => {
  test('keeps the extremes of a pixel column', () => {
    const run: PixelPoint[] = Array.from({ length: 100 }, (_, i) => [i / 100, (i * 37) % 101]);
    const kept = thinned(run);
    assert.ok(kept.length <= 4);
    const ys = (points: readonly PixelPoint[]): number[] => points.map(([, y]) => y);
    assert.equal(Math.min(...ys(kept)), Math.min(...ys(run)));
    assert.equal(Math.max(...ys(kept)), Math.max(...ys(run)));
    assert.deepEqual([kept[0], kept.at(-1)], [run[0], run.at(-1)]);
  });

  test('of few points keeps them all', () => {
    const run: PixelPoint[] = [
      [0, 1],
      [5, 2],
      [9, 3],
    ];
    assert.deepEqual(thinned(run), run);
    assert.deepEqual(segments([undefined, [0, 1], undefined, undefined, [1, 1]]), [[[0, 1]], [[1, 1]]]);
  });
});

describe('labels in a column', () => {
  test('keep their distance, their order and the range', () => {
    const wishes = fc.array(fc.integer({ min: -50, max: 250 }), { maxLength: 15 });
    fc.assert(
      fc.property(wishes, (wish) => {
        const places = spread(wish, 13, 0, 200);
        assert.ok(places !== undefined);
        const order = wish.map((_, i) => i).sort((a, b) => (wish[a] ?? 0) - (wish[b] ?? 0));
        order.forEach((i, rank) => {
          const at = places[i] ?? NaN;
          assert.ok(at >= 0 && at <= 200);
          const next = order[rank + 1];
          if (next !== undefined) assert.ok((places[next] ?? NaN) - at >= 13 - 1e-9);
        });
      }),
      { numRuns: 200, seed: 1 },
    );
    assert.equal(spread([0, 0, 0], 13, 0, 20), undefined);
  });
});

describe('text', () => {
  test('is shortened to the width', () => {
    assert.equal(fitText('short', 12, 200), 'short');
    const fitted = fitText('a rather long name of a line', 12, 80);
    assert.ok(fitted.endsWith('…') && textWidth(fitted, 12) <= 80);
  });
});

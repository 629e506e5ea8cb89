/** What an evaluation gives beyond its figures, as charts. */
import type { BoxLabel } from '../data/sample.ts';
import type { PrecisionCurves } from '../metric/average-precision.ts';
import type { Curve } from './report-input.ts';

const points = (x: Float64Array, y: Float64Array): (readonly [number, number])[] =>
  Array.from(x, (value, i) => [value, y[i] ?? NaN] as const);

/** Precision over recall, and precision, recall and F1 over confidence; class means at an overlap of 0.5. */
export const detectionCurves = (name: string, curves: PrecisionCurves): readonly Curve[] => [
  {
    title: `Precision over recall, ${name}`,
    xLabel: 'recall',
    series: [{ name: 'all classes', points: points(curves.recallGrid, curves.precisionAtRecall) }],
  },
  {
    title: `Over confidence, ${name}`,
    xLabel: 'confidence',
    series: [
      { name: 'F1', points: points(curves.confidence, curves.f1) },
      { name: 'precision', points: points(curves.confidence, curves.precision) },
      { name: 'recall', points: points(curves.confidence, curves.recall) },
    ],
  },
];

const BINS = 40;

/** Share of labels in each of 40 bins of 0…1. */
function shareByBin(values: readonly number[]): (readonly [number, number])[] {
  const counts = new Array<number>(BINS).fill(0);
  for (const value of values) {
    const bin = Math.min(BINS - 1, Math.max(0, Math.floor(value * BINS)));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts.map((count, i) => [(i + 0.5) / BINS, count / Math.max(values.length, 1)] as const);
}

/** Where labels lie and how large they are, as shares of the image's sides. */
export const labelCurves = (labels: readonly BoxLabel[]): readonly Curve[] =>
  labels.length === 0
    ? []
    : [
        {
          title: 'Labels: where they lie',
          xLabel: 'share of the side',
          series: [
            { name: 'centre x', points: shareByBin(labels.map(({ cx }) => cx)) },
            { name: 'centre y', points: shareByBin(labels.map(({ cy }) => cy)) },
          ],
        },
        {
          title: 'Labels: how large they are',
          xLabel: 'share of the side',
          series: [
            { name: 'width', points: shareByBin(labels.map(({ w }) => w)) },
            { name: 'height', points: shareByBin(labels.map(({ h }) => h)) },
          ],
        },
      ];

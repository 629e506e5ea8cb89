/** The charts of a run: every column of its results, those that belong together in one chart. */
import type { Curve, Series } from './report-input.ts';
import type { ResultsTable } from './results-table.ts';

interface Place {
  /** Charts stand in ascending order. */
  readonly order: number;
  readonly title: string;
  readonly name: string;
}

const METRICS: Readonly<Record<string, string>> = {
  'mAP_0.5': 'mAP50',
  'mAP_0.5:0.95': 'mAP50-95',
};

const RATES: Readonly<Record<string, string>> = { lr0: 'biases', lr1: 'weights', lr2: 'batch norm' };

/** `gradient_norm` to `Gradient norm`. */
const sentence = (name: string): string =>
  (name.charAt(0).toUpperCase() + name.slice(1)).replaceAll('_', ' ');

/** In which chart a column is drawn, and what it is called there. */
function placeOf(column: string): Place {
  const [group = '', first = '', ...rest] = column.split('/');
  if (group === 'metrics') {
    const isPrecision = first.startsWith('mAP');
    return {
      order: isPrecision ? 0 : 1,
      title: isPrecision ? 'Mean average precision' : 'Precision and recall',
      name: METRICS[first] ?? first,
    };
  }
  const hard = /^(train|val)\/(box|obj|cls)_loss$/.exec(column);
  if (hard !== null) {
    return {
      order: 1.6,
      title: `Loss on labels, ${hard[1] === 'val' ? 'validation' : 'training'}`,
      name: hard[2] ?? '',
    };
  }
  if (group === 'train' && first === 'weighted') {
    return { order: 2, title: 'Loss terms, weighted', name: rest.join('/') };
  }
  if (group === 'train' && rest.length > 0) {
    return { order: 3, title: `Loss terms, unweighted: ${first}`, name: rest.join('/') };
  }
  if (group === 'train') {
    return first === 'total'
      ? { order: 1.5, title: 'Loss, total', name: 'total' }
      : { order: 5, title: sentence(first), name: first.replaceAll('_', ' ') };
  }
  if (group === 'x') {
    return { order: 4, title: 'Learning rate', name: RATES[first] ?? first };
  }
  return first === ''
    ? { order: 6, title: sentence(column), name: column }
    : { order: 6, title: group, name: [first, ...rest].join('/') };
}

/** Charts over `epoch` (over the line's number where there is no such column). Columns without numbers are left out. */
export function runCurves({ columns, rows }: ResultsTable): Curve[] {
  const epoch = columns.indexOf('epoch');
  const charts = new Map<string, { readonly order: number; readonly series: Series[] }>();
  columns.forEach((column, c) => {
    if (c === epoch || !rows.some((row) => Number.isFinite(row[c]))) return;
    const { order, title, name } = placeOf(column);
    const chart = charts.get(title) ?? { order, series: [] };
    const points = rows
      .map((row, i): [number, number] => [epoch < 0 ? i : (row[epoch] ?? i), row[c] ?? NaN])
      // What is not measured every epoch is joined over the gaps.
      .filter(([, y]) => Number.isFinite(y) || !/^(metrics|val)\//.test(column));
    chart.series.push({ name, points });
    charts.set(title, chart);
  });
  return [...charts]
    .sort(([, a], [, b]) => a.order - b.order)
    .map(([title, { series }]) => ({ title, xLabel: 'epoch', series }));
}

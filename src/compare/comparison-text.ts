/** A comparison of methods as text: for a terminal, for markdown, and for a page. */
import { alignedTable } from '../text/aligned-table.ts';
import type { ComparisonRow, MethodComparison } from './comparison.ts';
import type { Spread } from './paired.ts';

const MISSING = '–';

/** `.123 ± .004 (3)`; the deviation is left out of a single value. */
const spreadText = (spread: Spread | undefined, sign = false): string => {
  if (spread === undefined) return MISSING;
  const { mean, deviation } = spread;
  const text = `${sign && mean >= 0 ? '+' : ''}${mean.toFixed(3)}`;
  return deviation === null ? text : `${text} ± ${deviation.toFixed(3)}`;
};

const cells = (row: ComparisonRow, control: string | undefined): string[] => [
  row.method,
  ...row.metrics.map((spread) => spreadText(spread)),
  row.method === control ? 'control' : spreadText(row.difference, true),
  String(row.bySeed.size),
  row.lossScale === undefined ? MISSING : row.lossScale.toFixed(2),
  row.steps.length === 0 ? MISSING : row.steps.join(', '),
  row.seconds === undefined ? MISSING : row.seconds.toFixed(0),
];

/** Heading and rows: method, metrics, paired difference, seeds, loss scale, batches, seconds of a training. */
export const comparisonCells = ({ metrics, rows, control }: MethodComparison): string[][] => [
  ['method', ...metrics, 'to the control', 'seeds', 'loss scale', 'batches', 's a run'],
  ...rows.map((row) => cells(row, control)),
];

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;

/** What a reader must know beside the table, a sentence each. */
export function comparisonNotes({ metrics, rows, control, teacher }: MethodComparison): string[] {
  const [main = ''] = metrics;
  const steps = new Set(rows.flatMap((row) => row.steps));
  return [
    ...(control === undefined
      ? ['No control was trained: a gain may be that of a larger loss alone.']
      : [
          `“to the control”: mean and deviation, over the seeds, of the difference in ${main} to the better control, ` +
            `${control}, at the same seed.`,
        ]),
    '“loss scale”: the whole loss by the hard loss in it, a mean over the epochs.',
    ...(steps.size > 1
      ? ['Not all were trained for equally many batches: their stages are whole epochs.']
      : []),
    ...(teacher === undefined
      ? []
      : [
          `The teacher answered once, in ${teacher.teach.toFixed(0)} s: ${percent(teacher.share)} of teaching and training. ` +
            `Asked anew for each of the ${teacher.runs} runs that read it, it would be ${percent(teacher.shareAnew)}.`,
        ]),
  ];
}

/** The table and the notes, for a terminal. */
export const comparisonText = (comparison: MethodComparison): string =>
  `${alignedTable(comparisonCells(comparison))}\n\n${comparisonNotes(comparison).join('\n')}`;

/** The same as markdown. */
export function comparisonMarkdown(comparison: MethodComparison): string {
  const [head = [], ...rows] = comparisonCells(comparison);
  const line = (row: readonly string[]): string => `| ${row.join(' | ')} |`;
  const rule = `|${head.map((_, i) => (i === 0 ? '---' : '---:')).join('|')}|`;
  const notes = comparisonNotes(comparison).map((note) => `- ${note}`);
  return [line(head), rule, ...rows.map(line), '', ...notes, ''].join('\n');
}

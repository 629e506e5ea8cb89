/** Puts the tables of what was measured into docs/results.md, between its markers; all else there stays. */
import { compareMethods } from '../../src/compare/comparison.ts';
import { pairedDifference, spreadOf, type BySeed, type Spread } from '../../src/compare/paired.ts';
import type { Measured } from './measured.ts';
import type { ResultRow, ResultTable } from './tables.ts';

const MISSING = 'not measured';

const text = (spread: Spread | undefined, sign = ''): string =>
  spread === undefined
    ? '–'
    : `${spread.mean >= 0 ? sign : ''}${spread.mean.toFixed(3)}` +
      (spread.deviation === null ? '' : ` ± ${spread.deviation.toFixed(3)}`);

const valuesOf = (runs: readonly Measured[], row: string, metric: string): BySeed =>
  new Map(
    runs.flatMap((run) => {
      const value = run.result.metrics[metric];
      return run.row === row && value !== undefined ? [[run.seed, value] as const] : [];
    }),
  );

function lineOf(row: ResultRow, runs: readonly Measured[], seeds: number, hasPeer: boolean): string[] {
  const main = valuesOf(runs, row.name, 'mAP50_95');
  const asRuns = runs.map(({ row: method, seed, result }) => ({ ...result, method, seed }));
  const { control } = compareMethods(asRuns, [row.name], row.controls, ['mAP50_95']);
  const difference =
    control === undefined || control === row.name
      ? undefined
      : pairedDifference(main, valuesOf(runs, control, 'mAP50_95'));
  const scales = runs.flatMap((run) => (run.row === row.name ? (run.result.lossScale ?? []) : []));
  return [
    `\`${row.name}\``,
    main.size === 0 ? MISSING : text(spreadOf([...main.values()])),
    main.size === 0 ? MISSING : text(spreadOf([...valuesOf(runs, row.name, 'mAP50').values()])),
    control === row.name ? 'control' : text(difference, '+'),
    ...(hasPeer ? [text(spreadOf(row.peer ?? []))] : []),
    `${main.size} of ${seeds}`,
    spreadOf(scales)?.mean.toFixed(2) ?? '–',
  ];
}

/** A table as markdown; `runs` are those of its settings. */
export function tableMarkdown(table: ResultTable, runs: readonly Measured[], seeds: number): string {
  const hasPeer = table.rows.some(({ peer }) => peer !== undefined);
  const head = [
    ...['row', 'mAP50-95', 'mAP50', 'to the better control'],
    ...(hasPeer ? ['PyTorch, mAP50-95'] : []),
    ...['seeds', 'loss scale'],
  ];
  const cells = [head, ...table.rows.map((row) => lineOf(row, runs, seeds, hasPeer))];
  const widths = head.map((_, c) => Math.max(...cells.map((row) => row[c]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, c) => (c === 0 ? cell.padEnd(widths[c] ?? 0) : cell.padStart(widths[c] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width, c) => (c === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  const [first = [], ...rows] = cells;
  return [line(first), rule, ...rows.map(line)].join('\n');
}

/** `page` with the content of the markers `<!-- NAME -->` … `<!-- end of NAME -->` replaced. */
export function fillPage(page: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the page lacks the markers of ${name}`);
  return `${page.slice(0, from + begin.length)}\n\n${content}\n\n${page.slice(to)}`;
}

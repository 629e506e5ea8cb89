/** The files that a comparison leaves: a page, and the table as markdown. */
import { join } from 'node:path';
import { writeFileAtomic } from '../flow/atomic-file.ts';
import type { DotChart } from '../report/dot-chart.ts';
import { renderReport } from '../report/render-report.ts';
import type { MethodComparison } from './comparison.ts';
import { comparisonCells, comparisonMarkdown, comparisonNotes } from './comparison-text.ts';

/** The first metric, a row a method, a dot a seed, with the better control as a line. */
export function comparisonChart({ metrics, rows, control }: MethodComparison): DotChart {
  const reference = rows.find(({ method }) => method === control);
  const at = reference?.metrics[0]?.mean;
  return {
    title: `${metrics[0] ?? ''} by method`,
    xLabel: metrics[0] ?? '',
    rows: rows.map(({ method, bySeed }) => ({ name: method, values: [...bySeed.values()] })),
    ...(control === undefined || at === undefined ? {} : { reference: { name: control, at } }),
  };
}

/** Writes `comparison.html` and `comparison.md` into `folder`, atomically, and returns their paths. */
export async function writeComparison(
  comparison: MethodComparison,
  folder: string,
  command: string,
): Promise<{ readonly page: string; readonly markdown: string }> {
  const [columns = [], ...rows] = comparisonCells(comparison);
  const html = renderReport({
    title: 'Comparison of methods',
    command,
    table: { columns, rows },
    dots: [comparisonChart(comparison)],
    notes: comparisonNotes(comparison),
    ...{ sections: [], curves: [], mosaics: [] },
  });
  const page = join(folder, 'comparison.html');
  const markdown = join(folder, 'comparison.md');
  await writeFileAtomic(page, Buffer.from(html));
  await writeFileAtomic(markdown, Buffer.from(comparisonMarkdown(comparison)));
  return { page, markdown };
}

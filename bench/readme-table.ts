/**
 * Script: the README's table from a saved run.
 *
 *     npm run -s bench -- --json > bench.json
 *     node --conditions=softshard-source --import tsx bench/readme-table.ts bench.json
 */
import { readFileSync } from 'node:fs';
import { benchSchema, benchTable } from './report.ts';

const NAMES = [
  /^(step|forward) [\d.]+, /,
  /^ratio /,
  /^cache /,
  /^decode$/,
  /^teach(, data wait)?$/,
  /^teach \/ bare forward/,
  /^train(, data wait)?$/,
  /memory at 10x data$/,
];

const [file = ''] = process.argv.slice(2);
const { figures, processor, processors, date, node, skipped } = benchSchema.parse(
  JSON.parse(readFileSync(file, 'utf8')),
);
const chosen = figures.filter(({ name }) => NAMES.some((pattern) => pattern.test(name)));
process.stdout.write(
  `${[
    `\`npm run bench\`, ${date?.slice(0, 10) ?? 'undated'}, ${processors} cores of ${processor}, Node ${node}:`,
    '',
    benchTable({ figures: chosen }),
    ...(skipped ?? []).map((line) => `\nNot measured: ${line}.`),
  ].join('\n')}\n`,
);

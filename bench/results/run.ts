/**
 * Measures the methods on bccd and fills docs/results.md: `npm run results -- --data bccd.yaml --teacher
 * bccd-yolov5n.pt [--only ROW,TABLE/ROW] [--seeds 3] [--budget MINUTES] [--folder runs/results] [--engine NAME]`.
 *
 * What is measured stands in docs/results.jsonl and is not measured again; what is not, is marked in the tables. It can
 * be stopped at any time and goes on with the same command, inside a training too. Without --data and --teacher it
 * only writes the tables.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runPipeline } from '../../src/cli/run.ts';
import { comparedResultSchema } from '../../src/compare/method-run.ts';
import { writeFileAtomic } from '../../src/flow/atomic-file.ts';
import { modulePath, packageRoot } from '../../src/flow/script-path.ts';
import { contextAround } from '../../src/flow/step-context.ts';
import { readMeasured, settingsDigest, writeMeasured, type Measured } from './measured.ts';
import { fillPage, tableMarkdown } from './page.ts';
import { TABLES, type ResultRow, type ResultTable } from './tables.ts';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    teacher: { type: 'string' },
    only: { type: 'string', default: '' },
    seeds: { type: 'string', default: '3' },
    budget: { type: 'string', default: 'Infinity' },
    folder: { type: 'string', default: 'runs/results' },
    engine: { type: 'string' },
    records: { type: 'string', default: join(packageRoot, 'docs', 'results.jsonl') },
    page: { type: 'string', default: join(packageRoot, 'docs', 'results.md') },
  },
});
const seeds = Number(values.seeds);
const minutes = Number(values.budget);
if (!Number.isInteger(seeds) || seeds < 1 || Number.isNaN(minutes) || minutes <= 0) {
  console.error('--seeds is a whole number from 1, --budget a number of minutes.');
  process.exit(2);
}

interface Work {
  readonly table: ResultTable;
  readonly row: ResultRow;
  readonly seed: number;
  readonly settings: string;
}

const only = values.only.split(',').filter((name) => name !== '');
const isWanted = (table: ResultTable, row: ResultRow): boolean =>
  only.length === 0 ||
  only.some((name) => [row.name, table.name, `${table.name}/${row.name}`].includes(name));
const wanted = TABLES.flatMap((table) => table.rows.filter((row) => isWanted(table, row)));
if (wanted.length === 0) {
  const names = TABLES.flatMap((table) => table.rows.map((row) => `${table.name}/${row.name}`));
  console.error(`There is no row ${values.only}; there are ${names.join(', ')}.`);
  process.exit(2);
}

let measured = await readMeasured(values.records);

/** Runs of a table whose settings are those of today. */
async function current(table: ResultTable): Promise<Measured[]> {
  const digests = new Map(
    await Promise.all(table.rows.map(async (row) => [row.name, await settingsDigest(table, row)] as const)),
  );
  return measured.filter(
    ({ table: name, row, seed, settings }) =>
      name === table.name && seed < seeds && digests.get(row) === settings,
  );
}

async function writePage(): Promise<void> {
  let page = await readFile(values.page, 'utf8');
  for (const table of TABLES)
    page = fillPage(page, table.name, tableMarkdown(table, await current(table), seeds));
  await writeFileAtomic(values.page, Buffer.from(page));
}

/** What is missing: all rows at the first seed, then all at the next. */
async function missing(): Promise<Work[]> {
  const work: Work[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    for (const table of TABLES) {
      const there = await current(table);
      for (const row of table.rows) {
        if (!isWanted(table, row) || there.some((run) => run.row === row.name && run.seed === seed)) continue;
        work.push({ table, row, seed, settings: await settingsDigest(table, row) });
      }
    }
  }
  return work;
}

const abort = new AbortController();
const isAborted = (): boolean => abort.signal.aborted;
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => abort.abort(new Error(name)));
if (Number.isFinite(minutes))
  setTimeout(() => abort.abort(new Error('the budget is spent')), minutes * 60_000).unref();

const { data, teacher, engine } = values;
const work = data === undefined || teacher === undefined ? [] : await missing();
const context = contextAround({
  ...{ signal: abort.signal, run: `results-${process.pid}`, step: 'results' },
  emit: (event) => {
    if (event.type === 'info' || event.type === 'warn') console.error(event.message);
    if (event.type === 'epoch') console.error(`  epoch ${event.epoch + 1} of ${event.total}`);
  },
});

for (const { table, row, seed, settings } of work) {
  if (isAborted()) break;
  console.error(`${table.name}/${row.name}, seed ${seed}`);
  const same = table.rows.filter((other) => other.set?.['labelled'] === row.set?.['labelled']);
  const labelled = row.set?.['labelled'] === undefined ? '' : '-few';
  try {
    const { result } = await runPipeline(
      modulePath('pipelines/method'),
      {
        ...{ ...table.set, ...row.set, data, teacher, method: row.method, seed, report: false },
        ...{ cacheFor: same.map(({ method }) => method), ...(engine === undefined ? {} : { engine }) },
        folder: join(values.folder, `${table.name}${labelled}`),
      },
      context,
    );
    const { metrics, steps, lossScale, seconds, readsTeacher } = comparedResultSchema.parse(result);
    const { mAP50 = NaN, mAP50_95 = NaN } = metrics;
    // Read again: somebody else may measure other rows meanwhile.
    measured = (await readMeasured(values.records)).filter(
      (other) => other.table !== table.name || other.row !== row.name || other.seed !== seed,
    );
    measured.push({
      ...{ table: table.name, row: row.name, seed, settings, engine: engine ?? 'native' },
      result: { metrics: { mAP50, mAP50_95 }, steps, lossScale, seconds, readsTeacher },
    });
    await writeMeasured(values.records, measured);
    await writePage();
    console.error(`  mAP50-95 ${mAP50_95.toFixed(3)}, mAP50 ${mAP50.toFixed(3)}`);
  } catch (error) {
    if (!isAborted()) throw error;
  }
}
await writePage();
const left = (await missing()).length;
console.error(left === 0 ? 'every row is measured' : `${left} runs are missing; the same command goes on`);

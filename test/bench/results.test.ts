import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readMeasured, settingsDigest, type Measured } from '../../bench/results/measured.ts';
import { fillPage, tableMarkdown } from '../../bench/results/page.ts';
import { TABLES, type ResultTable } from '../../bench/results/tables.ts';
import { repositoryRoot } from '../reference.ts';

const controls = ['labels'];
const table: ResultTable = {
  name: 'small',
  set: { steps: 3 },
  rows: [
    { name: 'labels', method: 'labels', controls, peer: [0.4] },
    { name: 'soft', method: 'soft', controls, peer: [0.5, 0.52] },
    { name: 'cwd', method: 'cwd', controls },
  ],
};

const run = (row: string, seed: number, mAP50_95: number): Measured => ({
  ...{ table: 'small', row, seed, settings: 's', engine: 'native' },
  result: {
    ...{ metrics: { mAP50_95, mAP50: 0.5 }, steps: 3, lossScale: 1, readsTeacher: true },
    seconds: { teach: 1, train: 2 },
  },
});

describe('docs/results.md', () => {
  test('marks what is missing, and pairs seeds', () => {
    const text = tableMarkdown(
      table,
      [run('labels', 0, 0.3), run('labels', 1, 0.2), run('soft', 0, 0.36)],
      3,
    );
    const rows = text.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
    assert.deepEqual(rows[2]?.slice(1, -1), ['`labels`', '0.250 ± 0.071', '0.500 ± 0.000', 'control', '0.400', '2 of 3', '1.00']); // prettier-ignore
    assert.deepEqual(rows[3]?.slice(1, -1), ['`soft`', '0.360', '0.500', '+0.060', '0.510 ± 0.014', '1 of 3', '1.00']); // prettier-ignore
    assert.deepEqual(rows[4]?.slice(1, -1), [
      '`cwd`',
      'not measured',
      'not measured',
      '–',
      '–',
      '0 of 3',
      '–',
    ]);
  });

  test('only what stands between the markers changes', () => {
    const page = 'a\n<!-- x -->\nold\n<!-- end of x -->\nb';
    assert.equal(fillPage(page, 'x', 'new'), 'a\n<!-- x -->\n\nnew\n\n<!-- end of x -->\nb');
    assert.throws(() => fillPage(page, 'y', ''), /lacks the markers of y/);
  });

  test('shows what the records hold', async () => {
    const docs = join(repositoryRoot, 'docs');
    const page = await readFile(join(docs, 'results.md'), 'utf8');
    const measured = await readMeasured(join(docs, 'results.jsonl'));
    let filled = page;
    for (const one of TABLES) {
      const digests = new Map<string, string>();
      for (const row of one.rows) digests.set(row.name, await settingsDigest(one, row));
      const runs = measured.filter(
        ({ table: name, row, settings }) => name === one.name && digests.get(row) === settings,
      );
      filled = fillPage(filled, one.name, tableMarkdown(one, runs, 3));
    }
    assert.equal(filled, page);
  });
});

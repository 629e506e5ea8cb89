import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCache } from '../../src/cache/cache-reader.ts';
import { folderStore } from '../../src/cache/folder-store.ts';
import { command } from '../../pipelines/classify-crops.ts';
import { makeTinyData } from '../tiny-training.ts';
import { silentContext } from './silent-context.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'softshard-classify-'));
});
after(() => rm(folder, { recursive: true, force: true }));

test('classify-crops runs from the boxes to the report', async () => {
  const { data } = await makeTinyData(folder, { train: 16, unlabelled: 0, val: 8 });
  const options = command.options.parse({
    ...{ data, imgsz: 32, unlabelled: 0.5, temperatures: [4], batchSize: 8 },
    ...{ teacherSteps: 5, steps: 5, folder: join(folder, 'runs') },
  });
  const result = await command.run(options, silentContext());
  assert.deepEqual(
    result.rows.map(([name]) => name),
    ['teacher, all labels', 'few labels', 'softmax, T = 4', 'softmax, T = 4, no labels', 'sigmoid, T = 4'],
  );
  for (const [, { images, accuracy }] of result.rows) {
    assert.equal(images, 8);
    assert.ok(accuracy >= 0 && accuracy <= 1);
  }
  assert.ok(existsSync(result.report));
  const cache = await openCache(folderStore(result.cache), { signal: new AbortController().signal });
  assert.deepEqual(cache.kinds, ['logits']);
  const [target] = await cache.readMany([{ sample: 0, view: 0 }], ['logits']);
  assert.deepEqual(target?.blobs.get('logits')?.shape, [2]);
  const csv = (run: string): Promise<string> => readFile(join(folder, 'runs', run, 'results.csv'), 'utf8');
  const [header = '', row = ''] = (await csv('no-labels')).split('\n');
  const column = header.split(',').indexOf('train/weighted/hard/cls');
  assert.equal(Number(row.split(',')[column]), 0);
  assert.match(await csv('T4'), /train\/weighted\/output\/cls/);
  assert.match(command.describe?.(result) ?? '', /softmax, T = 4/);
});

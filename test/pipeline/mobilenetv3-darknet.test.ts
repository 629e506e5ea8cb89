import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { command } from '../../pipelines/mobilenetv3-darknet.ts';
import { readModelYaml } from '../../src/model/model-yaml.ts';
import { makeTinyData } from '../tiny-training.ts';
import { darknetBytes, darknetGraph } from '../weights/darknet-file.ts';
import { silentContext } from './silent-context.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'softshard-v3-'));
});
after(() => rm(folder, { recursive: true, force: true }));

test('mobilenetv3-darknet runs from a .weights file to the report', async () => {
  const { data } = await makeTinyData(folder, { train: 6, unlabelled: 0, val: 2 });
  // An eighth of YOLOv4-tiny's width.
  const [teacher, teacherCfg] = [join(folder, 'thin.weights'), join(folder, 'thin.yaml')];
  await writeFile(teacher, darknetBytes(darknetGraph(['red', 'green'], 0.125)));
  await writeFile(teacherCfg, stringify({ ...readModelYaml('yolov4-tiny.yaml'), width_multiple: 0.125 }));
  const options = command.options.parse({
    ...{ data, teacher, teacherCfg, imgsz: 64, epochs: 1, batchSize: 4, folder: join(folder, 'runs') },
  });
  const result = await command.run(options, silentContext());
  assert.deepEqual(
    result.rows.map(([name]) => name),
    ['teacher', 'two heads, three skips', 'labels alone'],
  );
  assert.ok(existsSync(result.report));
  const csv = await readFile(join(folder, 'runs', 'distilled', 'results.csv'), 'utf8');
  for (const term of ['hint/3-16', 'hint/8-23', 'hint/11-26', 'output/obj'])
    assert.match(csv, new RegExp(`train/weighted/${term}`));
});

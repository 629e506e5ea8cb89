import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { command } from '../../pipelines/mobilenetv2-skips.ts';
import { makeTinyData } from '../tiny-training.ts';
import { randomTeacher } from './random-teacher.ts';
import { silentContext } from './silent-context.ts';

const row = (channels: number, expansion: number, stride: number): string =>
  `  - [-1, 1, InvertedResidual, [${channels}, ${expansion}, ${stride}]]`;

/** The rows of MobileNetV2 with a few channels each, and heads without a neck. */
const STUDENT = [
  ...['nc: 2', 'depth_multiple: 1', 'width_multiple: 1'],
  'anchors: [[10, 13, 16, 30, 33, 23], [30, 61, 62, 45, 59, 119], [116, 90, 156, 198, 373, 326]]',
  ...['backbone:', '  - [-1, 1, Conv2dNormActivation, [8, 3, 2, relu6, imagenet]]'],
  ...[row(8, 1, 1), row(8, 2, 2), row(8, 2, 1), row(8, 2, 2), row(8, 2, 1), row(8, 2, 1)],
  ...[row(8, 2, 2), ...Array.from({ length: 6 }, () => row(8, 2, 1))],
  ...[row(8, 2, 2), ...Array.from({ length: 3 }, () => row(8, 2, 1))],
  ...['head:', '  - [[6, 13, 17], 1, Detect, [nc, anchors]]', ''],
].join('\n');

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'softshard-skips-'));
});
after(() => rm(folder, { recursive: true, force: true }));

test('mobilenetv2-skips runs from the teacher to the report', async () => {
  const { data } = await makeTinyData(folder, { train: 6, unlabelled: 2, val: 2 });
  const cfg = join(folder, 'student.yaml');
  await writeFile(cfg, STUDENT);
  const options = command.options.parse({
    ...{ data, cfg, teacher: await randomTeacher(folder, 'yolov5p.yaml'), imgsz: 64 },
    ...{ pretrain: 1, epochs: 1, batchSize: 4, folder: join(folder, 'runs') },
  });
  const result = await command.run(options, silentContext());
  assert.deepEqual(
    result.rows.map(([name]) => name),
    ['teacher', 'skips, then jointly', 'labels alone'],
  );
  assert.ok(existsSync(result.report));
  const header = (run: string): Promise<string> => readFile(join(folder, 'runs', run, 'results.csv'), 'utf8');
  for (const term of ['1-0', '3-2', '6-4', '13-6', '17-9']) {
    assert.match(await header('features'), new RegExp(`train/weighted/hint/${term}`));
    assert.match(await header('joint'), new RegExp(`train/weighted/hint/${term}`));
  }
  const text = command.describe?.(result) ?? '';
  assert.match(text, /labels alone/);
});

/** Pseudo-labels from a cache of detections, against those that are found in cached heads. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCache } from '../../src/cache/cache-reader.ts';
import { folderStore } from '../../src/cache/folder-store.ts';
import { floatBlob } from '../../src/cache/target.ts';
import { HEAD_CODECS } from '../../src/head-codec/codecs.ts';
import { DETECTIONS_KIND, HEADS_KIND, headBlob } from '../../src/teach/answers.ts';
import { describeTeacherCache } from '../../src/teach/teacher-cache.ts';
import { batchDetections } from '../../src/teach/teacher-detections.ts';
import { pseudoLabels } from '../../src/loss/pseudo-labels.ts';
import { availableEngines } from '../engines.ts';
import { runCommand, type Ended } from '../fault/killed-command.ts';
import { makeTinyTeacher } from '../tiny-teacher.ts';
import { makeTinyData, TINY_MODEL, type TinyData } from '../tiny-training.ts';

const ENGINE = availableEngines()[0] ?? 'wasm';
const SELECTION = { confidence: 0.001, iou: 0.3, maxDetections: 40 };

describe(`cached detections on ${ENGINE}`, () => {
  let folder: string;
  let tiny: TinyData;
  const at = (name: string): string => join(folder, name);

  const train = (cache: string, name: string, cfg: string, ...set: readonly string[]): Promise<Ended> =>
    runCommand([
      ...['train', '--data', tiny.data, '--cfg', cfg, '--imgsz', '64', '--epochs', '1', '--no-val'],
      ...['--batch-size', '4', '--engine', ENGINE, '--cache', at(cache), '--project', at('runs')],
      ...['--name', name, ...set.flatMap((setting) => ['--set', `distill.output.${setting}`])],
    ]);
  const lossOf = async (name: string): Promise<number> => {
    const [header = '', row = ''] = (await readFile(join(at('runs'), name, 'results.csv'), 'utf8')).split(
      '\n',
    );
    const column = header.split(',').findIndex((title) => title.trim() === 'train/total');
    return Number(row.split(',')[column]);
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-detections-'));
    tiny = await makeTinyData(at('data'), { train: 3, unlabelled: 1, val: 0 });
    const weights = await makeTinyTeacher(folder);
    for (const [cache, more] of [
      ['heads', ['--codec', 'fp32']],
      ['rows', ['--answers', 'detections', '--conf-thres', '0.001', '--max-det', '40']],
    ] as const) {
      const taught = await runCommand([
        ...['teach', '--weights', weights, '--data', tiny.data, '--imgsz', '64', '--engine', ENGINE],
        ...['--unit-views', '4', '--cache', at(cache), ...more],
      ]);
      assert.equal(taught.code, 0, taught.output);
    }
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('are the detections of the heads, to the codec', async () => {
    const keys = Array.from({ length: 4 }, (_, sample) => ({ sample, view: 0 }));
    const open = (name: string) => openCache(folderStore(at(name)), { codecs: HEAD_CODECS });
    const [heads, rows] = await Promise.all([open('heads'), open('rows')]);
    const { head } = describeTeacherCache(heads.manifest);
    assert.deepEqual(describeTeacherCache(rows.manifest).detections, SELECTION);
    const ofHeads = await heads.readMany(keys, [HEADS_KIND]);
    const found = batchDetections(
      (await rows.readMany(keys, [DETECTIONS_KIND])).map((target) => floatBlob(target, DETECTIONS_KIND)),
    );
    const expected = ofHeads.flatMap((target, image) => {
      const levels = head.strides.map((_, level) => floatBlob(target, headBlob(level)));
      const one = pseudoLabels(levels, 1, head, SELECTION);
      return Array.from(one, (value, i) => (i % (6 + head.nc) === 0 ? image : value));
    });
    assert.ok(expected.length > 0);
    assert.equal(found.length, expected.length);
    found.forEach((value, i) => {
      const exact = expected[i] ?? NaN;
      assert.ok(Math.abs(value - exact) <= 1e-5 + Math.abs(exact) * 2 ** -11, `${value} for ${exact}`);
    });
  });

  test('train as the heads do, and students of other anchors too', async () => {
    const both = [
      await train('heads', 'heads', tiny.model, 'kind=pseudo', 'confidence=0.001', 'maxDetections=40'),
      await train('rows', 'rows', tiny.model, 'kind=pseudo'),
    ];
    for (const ended of both) assert.equal(ended.code, 0, ended.output);
    const [fromHeads, fromRows] = [await lossOf('heads'), await lossOf('rows')];
    assert.ok(Math.abs(fromRows / fromHeads - 1) < 2e-3, `${fromRows} for ${fromHeads}`);
    const other = at('other.yaml');
    await writeFile(other, TINY_MODEL.replace('[12, 12, 16, 16]', '[9, 9, 14, 14]'));
    const ended = await train('rows', 'other', other, 'kind=pseudo');
    assert.equal(ended.code, 0, ended.output);
  });

  test('are refused to losses that read heads, and under another selection', async () => {
    const soft = await train('rows', 'soft', tiny.model, 'kind=soft');
    assert.match(soft.output, /E_LOSS[^]*detections, and not its heads[^]*--answers heads/);
    const other = await train('rows', 'chosen', tiny.model, 'kind=pseudo', 'iou=0.5');
    assert.match(other.output, /distill\.output\.iou/);
  });
});

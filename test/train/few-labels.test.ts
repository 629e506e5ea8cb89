/** Training with few labels and a cache of mosaics, as a user runs it. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { decodeView } from '../../src/augment/view-codec.ts';
import { openCache } from '../../src/cache/cache-reader.ts';
import { folderStore } from '../../src/cache/folder-store.ts';
import { availableEngines } from '../engines.ts';
import { runCommand, type Ended } from '../fault/killed-command.ts';
import { makeTinyTeacher } from '../tiny-teacher.ts';
import { makeTinyData, type TinyData } from '../tiny-training.ts';

const ENGINE = availableEngines()[0] ?? 'wasm';
const LABELLED = 3;
const SAMPLES = 12;

describe(`few labels on ${ENGINE}`, () => {
  let folder: string;
  let tiny: TinyData;
  const train = (name: string, data: string, ...more: string[]): Promise<Ended> =>
    runCommand([
      ...[
        'train',
        '--data',
        data,
        '--cfg',
        tiny.model,
        '--imgsz',
        '64',
        '--epochs',
        '2',
        '--batch-size',
        '4',
      ],
      ...['--cache', join(folder, 'cache'), '--engine', ENGINE, '--no-val'],
      ...['--project', join(folder, 'runs'), '--name', name, ...more],
    ]);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-few-labels-'));
    tiny = await makeTinyData(join(folder, 'data'), {
      train: LABELLED,
      unlabelled: SAMPLES - LABELLED,
      val: 1,
    });
    const taught = await runCommand([
      ...['teach', '--weights', await makeTinyTeacher(folder), '--data', tiny.data, '--imgsz', '64'],
      ...['--set', 'hyp.mosaic=1', '--views', '2', '--unit-views', '4', '--engine', ENGINE],
      ...['--cache', join(folder, 'cache')],
    ]);
    assert.equal(taught.code, 0, taught.output);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('the cached mosaics of labelled images show labelled images alone', async () => {
    const cache = await openCache(folderStore(join(folder, 'cache')));
    const { partners } = cache.manifest.identity as { partners: { labelled: number } };
    assert.equal(partners.labelled, LABELLED);
    const shown = async (sample: number, view: number): Promise<readonly number[]> => {
      const { record } = await cache.read(sample, view);
      return decodeView(record).composition.images.map((image) => image.sample);
    };
    // The images of images/train come before those of images/unlabelled.
    for (let view = 0; view < 2; view++) {
      for (let sample = 0; sample < SAMPLES; sample++) {
        const isLabelled = (await shown(sample, view)).every((other) => other < LABELLED);
        if (sample < LABELLED) assert.ok(isLabelled, `sample ${sample}, view ${view}`);
      }
    }
  });

  test('other labelled images are refused, naming the field', async () => {
    const swapped = join(dirname(tiny.data), 'swapped.yaml');
    const yaml = ['path: .', 'train: images/unlabelled', 'unlabelled: images/train', 'names: [red, green]'];
    await writeFile(swapped, `${yaml.join('\n')}\n`);
    const refused = await train('refused', swapped);
    assert.equal(refused.code, 1, refused.output);
    assert.match(refused.output, /other labelled images/);
    assert.match(refused.output, /partners\.(labelled|digest)/);
  });

  test('a labelled share steers the batches and is part of the run; without a cache it is refused', async () => {
    const share = ['--labelled-share', '0.5'];
    const whole = await train('whole', tiny.data, ...share);
    assert.equal(whole.code, 0, whole.output);
    assert.match(whole.output, /each batch: 2 of 3 labelled images, 2 of 9 unlabelled ones/);
    const results = await readFile(join(folder, 'runs', 'whole', 'results.csv'), 'utf8');
    assert.match(results, /train\/box_loss/);
    const uncached = await train('uncached', tiny.data, ...share, '--image-cache', 'none', '--workers', '0');
    assert.equal(uncached.code, 0, uncached.output);
    for (const file of ['last.safetensors', 'checkpoint.safetensors', 'results.csv']) {
      const read = (name: string): Promise<Buffer> => readFile(join(folder, 'runs', name, file));
      assert.ok((await read('whole')).equals(await read('uncached')), file);
    }
    const found = await train('whole', tiny.data, ...share, '--image-cache-bytes', '100000');
    assert.match(found.output, /finished: nothing to do/, 'memory is no part of a run');
    const other = await train('whole', tiny.data, '--labelled-share', '0.25');
    assert.equal(other.code, 1, other.output);
    assert.match(other.output, /options\.labelledShare/);
    const without = await runCommand([
      ...['train', '--data', tiny.data, '--cfg', tiny.model, '--imgsz', '64', '--engine', ENGINE],
      ...['--project', join(folder, 'runs'), '--name', 'labels', ...share],
    ]);
    assert.equal(without.code, 1, without.output);
    assert.match(without.output, /Leave --labelled-share out/);
  });
});

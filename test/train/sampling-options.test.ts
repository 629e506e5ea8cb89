/** Ways of choosing and sizing views, as a user runs them: resumed to the bit after a kill. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { decodeView } from '../../src/augment/view-codec.ts';
import { openCache } from '../../src/cache/cache-reader.ts';
import { folderStore } from '../../src/cache/folder-store.ts';
import { availableEngines } from '../engines.ts';
import { runCommand, untilFree } from '../fault/killed-command.ts';
import { makeTinyTeacher } from '../tiny-teacher.ts';
import { makeTinyData, type TinyData } from '../tiny-training.ts';

const ENGINE = availableEngines()[0] ?? 'wasm';

describe(`sampling options on ${ENGINE}`, () => {
  let folder: string;
  let tiny: TinyData;
  const argv = (name: string, ...more: string[]): string[] => [
    ...['train', '--data', tiny.data, '--cfg', tiny.model, '--imgsz', '64', '--batch-size', '4'],
    ...['--epochs', '4', '--engine', ENGINE, '--warmup-iterations', '4', '--checkpoint-minutes', '0.001'],
    ...['--project', join(folder, 'runs'), '--name', name, ...more],
  ];
  const files = ['checkpoint.safetensors', 'last.safetensors', 'results.csv'];
  const read = (name: string): Promise<Buffer[]> =>
    Promise.all(files.map((file) => readFile(join(folder, 'runs', name, file))));

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-sampling-'));
    tiny = await makeTinyData(join(folder, 'data'), { train: 12, unlabelled: 0, val: 4 });
    // Half of the images are twice as wide as high: groups of 4 at 64 pixels are 64 x 32, 64 x 64 and 64 x 64.
    for (let i = 0; i < 6; i++) {
      const file = join(folder, 'data', 'images', 'train', `00${i}.png`);
      await writeFile(
        file,
        await sharp(await readFile(file))
          .resize(64, 30, { fit: 'fill' })
          .png()
          .toBuffer(),
      );
    }
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('all of them together, killed and resumed, give the bits of an undisturbed run', async () => {
    const all = ['--multi-scale', '--image-weights', '--close-mosaic', '1', '--freeze', '1', '--per-class'];
    const options = [...all, '--hyp', 'scratch-low'];
    const began = performance.now();
    const whole = await runCommand(argv('whole', ...options));
    assert.equal(whole.code, 0, whole.output);
    assert.match(whole.output, /epoch 4, a class:[^]*green/);
    const afterMs = (performance.now() - began) * 0.7;
    await runCommand(argv('killed', ...options), { afterMs, whom: 'all' });
    const resumed = await untilFree(argv('killed', ...options));
    assert.equal(resumed.code, 0, resumed.output);
    assert.deepEqual(await read('killed'), await read('whole'));
  });

  test('rectangular batches train, resumed to the bit after a kill', async () => {
    const options = ['--rect', '--hyp', 'scratch-low', '--no-val'];
    const began = performance.now();
    const whole = await runCommand(argv('rect', ...options));
    assert.equal(whole.code, 0, whole.output);
    assert.match(whole.output, /--rect: no mosaic/);
    const afterMs = (performance.now() - began) * 0.7;
    await runCommand(argv('rect-killed', ...options), { afterMs, whom: 'all' });
    const resumed = await untilFree(argv('rect-killed', ...options));
    assert.equal(resumed.code, 0, resumed.output);
    assert.deepEqual(await read('rect-killed'), await read('rect'));
  });

  test('a cache of as many views as epochs with mosaic closed gives the student of fresh views', async () => {
    const cache = join(folder, 'cache');
    const taught = await runCommand([
      ...['teach', '--weights', await makeTinyTeacher(folder), '--data', tiny.data, '--imgsz', '64'],
      ...['--hyp', 'scratch-low', '--views', '4', '--close-mosaic', '2', '--unit-views', '5'],
      ...['--codec', 'fp32', '--engine', ENGINE, '--cache', cache],
    ]);
    assert.equal(taught.code, 0, taught.output);
    const reader = await openCache(folderStore(cache));
    for (let view = 0; view < 4; view++) {
      const { record } = await reader.read(3, view);
      assert.equal(decodeView(record).composition.kind, view < 2 ? 'mosaic4' : 'letterbox');
    }
    const same = ['--no-val', '--unit-views', '5'];
    const off = ['--set', 'distill.output.weight=0'];
    const cached = await runCommand(argv('cached', ...same, '--cache', cache, ...off));
    assert.equal(cached.code, 0, cached.output);
    const fresh = await runCommand(argv('fresh', ...same, '--hyp', 'scratch-low', '--close-mosaic', '2'));
    assert.equal(fresh.code, 0, fresh.output);
    const weights = (name: string): Promise<Buffer> =>
      readFile(join(folder, 'runs', name, 'last.safetensors'));
    assert.deepEqual(await weights('cached'), await weights('fresh'));
  });
});

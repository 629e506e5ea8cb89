/** A damaged cache of a real teacher: repaired to the byte, held to the teacher, and told when images changed. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { isSoftshardError, type ErrorCode } from '../../src/errors.ts';
import type { StepContext } from '../../src/flow/step-command.ts';
import { drawKey, unitUniform } from '../../src/random/keyed.ts';
import { command as verifyCommand } from '../../src/cli/verify.ts';
import { command as repairCommand } from '../../stages/repair.ts';
import { command as teachCommand } from '../../stages/teach.ts';
import { mutate } from '../cache-mutation.ts';
import { availableEngines } from '../engines.ts';
import { makeTinyTeacher } from '../tiny-teacher.ts';
import { makeTinyData, type TinyData } from '../tiny-training.ts';
import { runCommand, untilFree } from './killed-command.ts';

const LONG = process.env['SOFTSHARD_TEST_LONG'] !== undefined;
const ENGINE = availableEngines()[0] ?? 'wasm';

const context = (): StepContext => ({
  ...{ signal: new AbortController().signal, run: 'repair-1', step: 'repair' },
  ...{ emit: () => undefined, info: () => undefined, warn: () => undefined },
});

const fails =
  (code: ErrorCode, ...texts: string[]) =>
  (error: unknown): boolean =>
    isSoftshardError(error, code) && texts.every((text) => error.message.includes(text));

async function filesBelow(folder: string): Promise<Map<string, Uint8Array>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const contents = files
    .sort()
    .map(async (file) => [file.slice(folder.length + 1), await readFile(file)] as const);
  return new Map(await Promise.all(contents));
}

const digestsOf = async (folder: string): Promise<Record<string, string>> =>
  Object.fromEntries(
    [...(await filesBelow(folder))].map(([name, bytes]) => [
      name,
      createHash('sha256').update(bytes).digest('hex'),
    ]),
  );

for (const codec of ['fp16', 'sparse']) {
  describe(`a damaged cache in ${codec} on ${ENGINE}`, () => {
    let folder: string;
    let tiny: TinyData;
    let weights: string;
    let pristine: Record<string, string>;
    const at = (name: string): string => join(folder, name);
    const files = () => ({ weights, data: tiny.data, workers: 0 });
    const repair = (cache: string, more: Record<string, unknown> = {}) =>
      repairCommand.run(repairCommand.options.parse({ cache: at(cache), ...more }), context());
    const verify = (cache: string, more: Record<string, unknown> = {}) =>
      verifyCommand.run(verifyCommand.options.parse({ cache: at(cache), ...more }), context());
    const copied = async (name: string): Promise<string> => {
      await rm(at(name), { recursive: true, force: true });
      await cp(at('whole'), at(name), { recursive: true });
      return name;
    };

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'softshard-repair-'));
      tiny = await makeTinyData(join(folder, 'data'), { train: 6, unlabelled: 3, val: 0 });
      weights = await makeTinyTeacher(folder);
      await teachCommand.run(
        teachCommand.options.parse({
          ...{ weights, data: tiny.data, imgsz: 64, cache: at('whole'), codec, views: 2, unitViews: 5 },
          ...{ teachBatch: 2, hints: [2], workers: 0, engine: ENGINE, errorViews: 2 },
          set: { hyp: { mosaic: 1, fliplr: 0.5 } },
        }),
        context(),
      );
      pristine = await digestsOf(at('whole'));
    });
    after(() => rm(folder, { recursive: true, force: true }));

    test('random damage is repaired to the byte', async () => {
      for (let run = 0; run < (LONG ? 40 : 4); run++) {
        await copied('damaged');
        const before = await filesBelow(at('damaged'));
        const after = new Map(before);
        const names = [...before.keys()].filter((name) => name !== 'cache.json');
        for (let i = 0; i < 3; i++) mutate(after, names, drawKey(5, `test-repair-${codec}`, run), 8 * i);
        for (const [name, bytes] of before) {
          const damaged = after.get(name);
          if (damaged === undefined) await rm(join(at('damaged'), name));
          else if (damaged !== bytes) await writeFile(join(at('damaged'), name), damaged);
        }
        await repair('damaged', files());
        assert.deepEqual(await digestsOf(at('damaged')), pristine, `run ${run}`);
      }
    });

    test('a damaged manifest is found again, a lost one comes from a copy', async () => {
      const name = await copied('manifest');
      const file = join(at(name), 'cache.json');
      const bytes = await readFile(file);
      bytes.writeUInt8(bytes.readUInt8(300) ^ 4, 300);
      await writeFile(file, bytes);
      assert.deepEqual((await repair(name)).repaired, ['cache.json']);
      assert.deepEqual(await digestsOf(at(name)), pristine);
      await rm(file);
      await assert.rejects(repair(name), fails('E_CACHE_CORRUPT', 'cache.json', '--manifest'));
      await repair(name, { manifest: join(at('whole'), 'cache.json') });
      assert.deepEqual(await digestsOf(at(name)), pristine);
    });

    test('another teacher and other images are refused before anything is written', async () => {
      const name = await copied('refused');
      const shard = [...(await filesBelow(at(name))).keys()].find((file) => file.endsWith('.shard')) ?? '';
      await writeFile(join(at(name), shard), 'damaged');
      await assert.rejects(repair(name), fails('E_USAGE', '--weights'));
      await assert.rejects(
        repair(name, { ...files(), weights: await makeTinyTeacher(folder, 6) }),
        fails('E_CACHE_IDENTITY', 'teacher.digest'),
      );
      assert.equal(await readFile(join(at(name), shard), 'utf8'), 'damaged');
    });

    test('views are recomputed equal to the byte; another engine within the stated tolerance', async () => {
      const { problems, live } = await verify('whole', { ...files(), live: 5 });
      assert.deepEqual(problems, []);
      assert.deepEqual([live?.views, live?.exact], [5, true]);
      const [, other] = availableEngines();
      if (other === undefined) return;
      const across = await verify('whole', { ...files(), live: 4, engine: other });
      assert.deepEqual(across.problems, []);
      assert.equal(across.live?.exact, false);
      assert.match(across.live.difference ?? '', /^engine: /);
    });

    test('an image that changed after teaching is named', async () => {
      const image = join(folder, 'data', 'images', 'train', '002.png');
      const bytes = await readFile(image);
      const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
      data.writeUInt8(data.readUInt8(0) ^ 1, 0);
      await sharp(data, { raw: { width: info.width, height: info.height, channels: 3 } })
        .png()
        .toFile(image);
      try {
        await assert.rejects(
          verify('whole', { ...files(), live: 1 }),
          (error) => isSoftshardError(error, 'E_PIXELS') && error.message.includes('train/002.png'),
        );
      } finally {
        await writeFile(image, bytes);
      }
    });

    test(`kills at random moments cost nothing but time`, { skip: codec === 'sparse' }, async () => {
      const name = await copied('killed');
      for (const file of (await filesBelow(at(name))).keys())
        if (file.endsWith('.shard') || file.startsWith('units/00000'))
          await writeFile(join(at(name), file), 'damaged');
      const argv = ['repair', at(name), '--weights', weights, '--data', tiny.data, '--workers', '0'];
      const key = drawKey(17, 'test-kill');
      for (let kill = 0; kill < (LONG ? 30 : 2); kill++) {
        const afterMs = 500 + 3500 * unitUniform(key, kill);
        const ended = await runCommand(argv, { afterMs, whom: 'all' });
        if (ended.code === 0) break;
      }
      const last = await untilFree(argv);
      assert.equal(last.code, 0, last.output);
      assert.deepEqual(await digestsOf(at(name)), pristine);
    });
  });
}

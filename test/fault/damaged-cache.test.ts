/** A damaged cache as a user meets it: `verify` and `inspect` say so and end with 1. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeTinyTeacher } from '../tiny-teacher.ts';
import { makeTinyData } from '../tiny-training.ts';
import { runCommand } from './killed-command.ts';

describe('a damaged cache', () => {
  let folder: string;
  let cache: string;
  const shards = async (): Promise<string[]> =>
    (await readdir(cache, { recursive: true }))
      .filter((name) => name.endsWith('.shard'))
      .sort()
      .map((name) => join(cache, name));
  /** Runs `act` with one byte of a file changed, and changes it back. */
  const withByteChanged = async (file: string, at: number, act: () => Promise<void>): Promise<void> => {
    const whole = await readFile(file);
    const damaged = Buffer.from(whole);
    damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at);
    await writeFile(file, damaged);
    try {
      await act();
    } finally {
      await writeFile(file, whole);
    }
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'softshard-damage-'));
    cache = join(folder, 'cache');
    const tiny = await makeTinyData(join(folder, 'data'), { train: 4, unlabelled: 0, val: 0 });
    const weights = await makeTinyTeacher(folder);
    const made = await runCommand([
      ...['teach', '--weights', weights, '--data', tiny.data, '--imgsz', '64', '--unit-views', '2'],
      ...['--cache', cache, '--workers', '0', '--engine', 'wasm'],
    ]);
    assert.equal(made.code, 0, made.output);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('whole, both end with 0', async () => {
    const verified = await runCommand(['verify', cache]);
    assert.equal(verified.code, 0, verified.output);
    assert.match(verified.output, /every byte is as it was written: .*, sealed/);
    assert.equal((await runCommand(['inspect', cache])).code, 0);
  });

  test('one changed byte of a shard: verify names the file and ends with 1', async () => {
    const [, shard = ''] = await shards();
    await withByteChanged(shard, (await readFile(shard)).length - 70, async () => {
      const verified = await runCommand(['verify', cache]);
      assert.equal(verified.code, 1, verified.output);
      assert.ok(verified.output.includes(shard.slice(cache.length + 1)), verified.output);
      assert.match(verified.output, /E_CACHE_CORRUPT[^]*problems? in \d+ files/);
      const json = await runCommand(['verify', cache, '--json', '--events', 'json']);
      assert.equal(json.code, 1);
      assert.match(json.output, /^\{[^\n]*"problems":\[\{[^\n]*E_CACHE_CORRUPT[^\n]*\}$/m);
    });
  });

  test('a changed manifest: verify and inspect both end with 1 and name it', async () => {
    await withByteChanged(join(cache, 'cache.json'), 200, async () => {
      for (const name of ['verify', 'inspect']) {
        const ended = await runCommand([name, cache]);
        assert.equal(ended.code, 1, ended.output);
        assert.match(ended.output, /cache\.json/);
      }
    });
  });

  test('a shard cut short: verify ends with 1; a folder that is no cache is told by both', async () => {
    const [shard = ''] = await shards();
    const whole = await readFile(shard);
    await truncate(shard, whole.length - 1);
    const verified = await runCommand(['verify', cache]);
    await writeFile(shard, whole);
    assert.equal(verified.code, 1, verified.output);
    for (const name of ['verify', 'inspect']) {
      const none = await runCommand([name, folder]);
      assert.equal(none.code, 1, none.output);
      assert.match(none.output, /no cache\.json/);
    }
  });
});

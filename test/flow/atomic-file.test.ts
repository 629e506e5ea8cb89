import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { isSoftshardError } from '../../src/errors.ts';
import { isTemporaryName, writeFileAtomic } from '../../src/flow/atomic-file.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const sourceUrl = new URL('../../src/flow/atomic-file.ts', import.meta.url).href;

// Runs in a mount namespace of its own, so that the small disk vanishes with the process.
const onSmallDisk = (folder: string, script: string): ReturnType<typeof spawnSync> =>
  spawnSync(
    'unshare',
    [
      '-rm',
      'sh',
      '-c',
      `mount -t tmpfs -o size=64k none "$0" && exec "$1" --import tsx --input-type=module -e "$2"`,
      folder,
      process.execPath,
      script,
    ],
    { encoding: 'utf8', timeout: 60_000 },
  );
const smallDisk = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', '-o', 'size=64k', 'none', tmpdir()]);
const skipWithoutSmallDisk = smallDisk.status === 0 ? false : 'no private mount namespace on this machine';

describe('writeFileAtomic', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'atomic-file-'));
  });
  after(() => rm(folder, { recursive: true }));

  test('writes one chunk, many chunks, asynchronous chunks and none', async () => {
    const path = join(folder, 'whole');
    await writeFileAtomic(path, bytes('one'));
    assert.equal(await readFile(path, 'utf8'), 'one');
    await writeFileAtomic(path, [bytes('two '), bytes(''), bytes('parts')]);
    assert.equal(await readFile(path, 'utf8'), 'two parts');
    await writeFileAtomic(
      path,
      (async function* () {
        yield await Promise.resolve(bytes('later'));
      })(),
    );
    assert.equal(await readFile(path, 'utf8'), 'later');
    await writeFileAtomic(path, []);
    assert.equal(await readFile(path, 'utf8'), '');
    assert.deepEqual(await readdir(folder), ['whole']);
  });

  test('keeps the old content, and leaves no temporary, when the chunks fail', async () => {
    const sub = join(folder, 'failing');
    await mkdir(sub);
    const path = join(sub, 'kept');
    await writeFile(path, 'old');
    const reason = new Error('no more chunks');
    const chunks = (function* () {
      yield bytes('new');
      throw reason;
    })();
    await assert.rejects(writeFileAtomic(path, chunks), (error) => error === reason);
    assert.equal(await readFile(path, 'utf8'), 'old');
    assert.deepEqual(await readdir(sub), ['kept']);
  });

  test('removes the temporary when the rename fails', async () => {
    const sub = join(folder, 'renaming');
    await mkdir(join(sub, 'taken', 'inner'), { recursive: true });
    await assert.rejects(writeFileAtomic(join(sub, 'taken'), bytes('x')), (error) =>
      isSoftshardError(error, 'E_FILE'),
    );
    assert.deepEqual(await readdir(sub), ['taken']);
  });

  test('names the path when the folder does not exist', async () => {
    const path = join(folder, 'absent', 'file');
    await assert.rejects(
      writeFileAtomic(path, bytes('x')),
      (error) => isSoftshardError(error, 'E_FILE') && error.detail.where === path,
    );
  });

  test('two writers of one path leave one of the two contents', async () => {
    const path = join(folder, 'contended');
    const contents = ['a'.repeat(70_000), 'b'.repeat(70_000)];
    await Promise.all(contents.map((text) => writeFileAtomic(path, bytes(text))));
    assert.ok(contents.includes(await readFile(path, 'utf8')));
  });

  test('recognises its own temporaries', () => {
    assert.ok(isTemporaryName('.000003.json.4711-0.partial'));
    assert.ok(!isTemporaryName('000003.json'));
    assert.ok(!isTemporaryName('.hidden'));
  });

  test(
    'a really full disk is E_DISK_FULL and leaves the old file',
    { skip: skipWithoutSmallDisk },
    async () => {
      const disk = join(folder, 'disk');
      await mkdir(disk);
      const script = `
      import { readdirSync, readFileSync } from 'node:fs';
      const { writeFileAtomic } = await import(${JSON.stringify(sourceUrl)});
      const path = ${JSON.stringify(join(disk, 'file'))};
      await writeFileAtomic(path, new Uint8Array(1000));
      const error = await writeFileAtomic(path, new Uint8Array(200_000)).catch((e) => e);
      const left = readdirSync(${JSON.stringify(disk)});
      console.log(JSON.stringify({ code: error?.code, left, length: readFileSync(path).length }));
    `;
      const { stdout, stderr } = onSmallDisk(disk, script);
      assert.equal(stderr, '');
      assert.deepEqual(JSON.parse(String(stdout)), { code: 'E_DISK_FULL', left: ['file'], length: 1000 });
    },
  );
});

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openCache } from '../../src/cache/cache-reader.ts';
import { folderStore } from '../../src/cache/folder-store.ts';
import { repositoryRoot } from '../reference.ts';
import { pythonWithMsgpack } from './python.ts';
import { EXTENT, writeSynthetic } from './synthetic.ts';
import { temporaryFolder } from './temporary-folder.ts';

const found = pythonWithMsgpack();
const skip = 'skip' in found ? found.skip : false;
const python = 'python' in found ? found.python : '';
const reader = join(repositoryRoot, 'readers', 'python', 'softshard_reader.py');

interface PythonView {
  readonly sample: number;
  readonly view: number;
  readonly input: string;
  readonly record: unknown;
  readonly blobs: Readonly<Record<string, { shape: number[]; dtype: string; sha256: string; min: number }>>;
}

test('Python reads what TypeScript reads', { skip }, async (t) => {
  const folder = await temporaryFolder(t);
  const store = folderStore(folder);
  await writeSynthetic(store);
  const output = execFileSync(python, [reader, folder, '--json', '--verify'], { encoding: 'utf8' });
  const { manifest, views } = JSON.parse(output) as { manifest: object; views: PythonView[] };
  const cache = await openCache(store);
  assert.deepEqual(manifest, cache.manifest);
  assert.equal(views.length, EXTENT.samples * EXTENT.views);
  for (const view of views) {
    const target = await cache.read(view.sample, view.view);
    assert.equal(view.input, target.inputDigest);
    assert.deepEqual(view.record, target.record);
    assert.deepEqual(Object.keys(view.blobs), [...target.blobs.keys()]);
    for (const [name, blob] of target.blobs) {
      const { buffer, byteOffset, byteLength } = blob.data;
      const sha256 = createHash('sha256')
        .update(new Uint8Array(buffer, byteOffset, byteLength))
        .digest('hex');
      const other = view.blobs[name];
      assert.deepEqual([other?.shape, other?.dtype, other?.sha256], [blob.shape, blob.dtype, sha256]);
      assert.equal(other?.min, Math.min(...blob.data));
    }
  }
  const text = execFileSync(python, [reader, folder], { encoding: 'utf8' });
  assert.match(text, /^sample 0, view 0, input /);
});

test('Python refuses what is damaged, naming the file', { skip }, async (t) => {
  const folder = await temporaryFolder(t);
  await writeSynthetic(folderStore(folder));
  const damage = async (name: string, at: number): Promise<string> => {
    const path = join(folder, name);
    const pristine = await readFile(path);
    const changed = Buffer.from(pristine);
    const index = at < 0 ? changed.length + at : at;
    changed[index] = (changed[index] ?? 0) ^ 1;
    await writeFile(path, changed);
    const { status, stderr } = spawnSync(python, [reader, folder, '--verify'], { encoding: 'utf8' });
    assert.equal(status, 1);
    await writeFile(path, pristine);
    return stderr;
  };
  for (const [name, at] of [
    ['cache.json', 100],
    ['index.json', -5],
    ['SEAL', 20],
    ['units/000002.json', 200],
    ['parts/v000/heads/fp16/000001.shard', 5],
    ['parts/v001/pixels/raw/000005.shard', -7],
  ] as const) {
    const message = await damage(name, at);
    assert.ok(message.startsWith('softshard_reader: ') && message.includes(name), message);
  }
  await rm(join(folder, 'SEAL'));
  assert.match(spawnSync(python, [reader, folder], { encoding: 'utf8' }).stderr, /not sealed/);
  assert.equal(spawnSync(python, [reader, folder, '--allow-unsealed']).status, 0);
});

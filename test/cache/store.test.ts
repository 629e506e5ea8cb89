import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { folderStore } from '../../src/cache/folder-store.ts';
import { memoryStore } from '../../src/cache/memory-store.ts';
import { isSoftshardError } from '../../src/errors.ts';
import { storeConformance } from '../contract/store.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folders: string[] = [];
after(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

storeConformance('memory store', async () => Promise.resolve(memoryStore()));
storeConformance('folder store', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'softshard-store-'));
  folders.push(folder);
  return folderStore(join(folder, 'not', 'yet', 'there'));
});

test('folder store: leaves nothing but its objects behind', async (t) => {
  const folder = await temporaryFolder(t);
  const store = folderStore(folder);
  await store.putIfAbsent('a/b', new Uint8Array([1]));
  await store.putIfAbsent('a/b', new Uint8Array([2]));
  assert.deepEqual(await readdir(join(folder, 'a')), ['b']);
});

test('folder store: sweeps temporaries of dead writers, hides them, and leaves other files alone', async (t) => {
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, 'units'));
  await writeFile(join(folder, 'units', '.000000.json.123-4.partial'), 'half');
  await writeFile(join(folder, 'units', '.hidden'), 'foreign');
  const store = folderStore(folder);
  assert.deepEqual(await store.list(''), ['units/.hidden']);
  await store.sweep();
  assert.deepEqual(await readdir(join(folder, 'units')), ['.hidden']);
});

test('folder store: says what the file system refused', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'file'), 'x');
  const store = folderStore(folder);
  await assert.rejects(store.putIfAbsent('file/below', new Uint8Array(1)), (e) =>
    isSoftshardError(e, 'E_FILE'),
  );
  await mkdir(join(folder, 'folder'));
  await assert.rejects(store.get('folder'), (e) => isSoftshardError(e, 'E_FILE'));
});

test(
  'folder store: a read-only folder is E_FILE',
  { skip: process.getuid?.() === 0 ? 'root may write everywhere' : false },
  async (t) => {
    const folder = await temporaryFolder(t);
    await chmod(folder, 0o500);
    await assert.rejects(folderStore(folder).putIfAbsent('a', new Uint8Array(1)), (e) =>
      isSoftshardError(e, 'E_FILE'),
    );
    await chmod(folder, 0o700);
  },
);

/** What began a cache: the engine, and the threads of a runtime that is no engine. */
import { manifestBytes } from '../cache/cache-reader.ts';
import { folderStore } from '../cache/folder-store.ts';
import type { JsonRecord } from '../cache/identity.ts';
import { decodeManifest } from '../cache/manifest.ts';
import { engineRecord, type EngineRecord } from '../flow/engine-choice.ts';

async function provenanceOf(folder: string): Promise<JsonRecord | undefined> {
  try {
    return decodeManifest(await manifestBytes(folderStore(folder))).provenance;
  } catch {
    return undefined;
  }
}

/** Reads the engine from the cache in `folder`; undefined where there is none, or one whose damage the step itself will tell. */
export async function engineOfCache(folder: string): Promise<EngineRecord | undefined> {
  const provenance = await provenanceOf(folder);
  return engineRecord(provenance?.['engine'], provenance?.['threads'], provenance?.['isa']);
}

/** Threads of the runtime that began the cache in `folder`, so that the same command goes on. */
export async function threadsOfCache(folder: string): Promise<number | undefined> {
  const threads = (await provenanceOf(folder))?.['threads'];
  return typeof threads === 'number' ? threads : undefined;
}

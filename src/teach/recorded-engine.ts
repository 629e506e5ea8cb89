/** The engine that began a cache. */
import { manifestBytes } from '../cache/cache-reader.ts';
import { folderStore } from '../cache/folder-store.ts';
import { decodeManifest } from '../cache/manifest.ts';
import { engineRecord, type EngineRecord } from '../flow/engine-choice.ts';

/** Reads it from the cache in `folder`; undefined where there is none, or one whose damage the step itself will tell. */
export async function engineOfCache(folder: string): Promise<EngineRecord | undefined> {
  try {
    const { provenance } = decodeManifest(await manifestBytes(folderStore(folder)));
    return engineRecord(provenance['engine'], provenance['threads'], provenance['isa']);
  } catch {
    return undefined;
  }
}

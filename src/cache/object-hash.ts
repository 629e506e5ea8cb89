/** The sha256 of an object of any size, read in blocks. */
import { createHash } from 'node:crypto';
import { refuseAborted } from './abort.ts';
import type { Store } from './store.ts';

const BLOCK_BYTES = 4 * 1024 * 1024;

/** sha256 of the first `bytes` bytes of an object, hex. Throws E_CACHE_CORRUPT when it is shorter, E_ABORTED. */
export async function objectSha256(
  store: Store,
  name: string,
  bytes: number,
  signal?: AbortSignal,
): Promise<string> {
  const hash = createHash('sha256');
  for (let offset = 0; offset < bytes; offset += BLOCK_BYTES) {
    refuseAborted(signal, name);
    hash.update(await store.getRange(name, offset, Math.min(BLOCK_BYTES, bytes - offset)));
  }
  return hash.digest('hex');
}

/** How fast a folder's disk takes bytes. */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileError } from '../flow/file-error.ts';

/** Bytes that are written and removed again. */
const PROBE_BYTES = 64 * 1024 * 1024;
const BLOCK_BYTES = 4 * 1024 * 1024;

/** The nearest folder above `folder`, or itself, that is there. */
function existing(folder: string): string {
  let at = resolve(folder);
  while (!existsSync(at) && at !== dirname(at)) at = dirname(at);
  return at;
}

/** Bytes a second, fsync included, measured by `now` (milliseconds). Leaves nothing behind. Throws E_FILE, E_DISK_FULL. */
export async function probeDisk(folder: string, now: () => number, bytes = PROBE_BYTES): Promise<number> {
  const top = existing(folder);
  try {
    const probe = await mkdtemp(join(top, '.softshard-probe-'));
    try {
      const block = Buffer.alloc(Math.min(bytes, BLOCK_BYTES), 0x5a);
      const begin = now();
      const handle = await open(join(probe, 'probe'), 'wx');
      try {
        for (let done = 0; done < bytes; done += block.byteLength) await handle.write(block);
        await handle.sync();
      } finally {
        await handle.close();
      }
      return bytes / Math.max(1e-6, (now() - begin) / 1000);
    } finally {
      await rm(probe, { recursive: true, force: true });
    }
  } catch (error) {
    throw fileError(error, top, 'written');
  }
}

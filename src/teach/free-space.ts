/** Whether what is to be written fits on the disk, before anything is. */
import { statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { bytesText } from '../cache/inspect.ts';
import { SoftshardError } from '../errors.ts';

/** Bytes that this user may still write below `folder`, which need not exist yet; undefined where nothing tells. */
export async function freeSpace(folder: string): Promise<number | undefined> {
  for (let at = resolve(folder); ; at = dirname(at)) {
    try {
      const { bavail, bsize } = await statfs(at);
      return bavail * bsize;
    } catch {
      if (at === dirname(at)) return undefined;
    }
  }
}

/** Throws E_DISK_FULL, saying both numbers, when `needed` bytes do not fit into `folder`. */
export async function refuseFullDisk(
  folder: string,
  needed: number,
  freeOf: (folder: string) => Promise<number | undefined> = freeSpace,
): Promise<void> {
  const free = await freeOf(folder);
  if (free === undefined || free >= needed) return;
  throw new SoftshardError('E_DISK_FULL', {
    message: 'The cache does not fit on the disk.',
    where: folder,
    expected: `${bytesText(needed)} free`,
    found: `${bytesText(free)} free`,
    remedy: 'Free space, name another folder, or use fewer views or hints.',
  });
}

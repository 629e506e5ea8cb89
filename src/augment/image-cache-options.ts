/** The options of decoded images that are kept, which every step that decodes many times has. */
import { statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { decoderVersions } from '../data/decoder-versions.ts';
import { heldBytes, type ImageFolder } from './image-folder.ts';

export const imageCacheOptions = {
  imageCache: z
    .enum(['none', 'ram', 'disk'])
    .optional()
    .describe(
      'keep decoded images: ram, in memory; disk, in the folder images of the home that doctor shows, for all runs ' +
        '(default: none)',
    ),
  imageCacheBytes: z
    .int()
    .min(0)
    .optional()
    .describe(
      'memory or disk for them; by default a quarter of what is free at the start, at most 4 GiB of memory or 64 GiB ' +
        'of disk',
    )
    .meta({ unit: 'bytes' }),
} as const;

export type ImageCacheOptions = z.output<z.ZodObject<typeof imageCacheOptions>>;

/** What a view decoder keeps. */
export interface KeptImages {
  /** Bytes in memory. */
  readonly imageCacheBytes: number;
  /** The folder on disk, where that is asked for. */
  readonly imageFolder?: ImageFolder;
}

const MOST = 4 * 2 ** 30;
const MOST_ON_DISK = 64 * 2 ** 30;

/** Bytes that decoded images may take in memory, where `free` are available to the process. */
export function imageCacheLimit({ imageCache, imageCacheBytes }: ImageCacheOptions, free: number): number {
  const kept = imageCache ?? (imageCacheBytes === undefined ? 'none' : 'ram');
  if (kept !== 'ram') return 0;
  return imageCacheBytes ?? Math.max(0, Math.min(MOST, Math.floor(free / 4)));
}

async function freeBelow(folder: string): Promise<number> {
  for (let at = resolve(folder); ; at = dirname(at)) {
    const found = await statfs(at).catch(() => undefined);
    if (found !== undefined) return found.bavail * found.bsize;
    if (at === dirname(at)) return 0;
  }
}

/**
 * What the options ask for: in memory as `imageCacheLimit` says, or on disk below `home`, in a folder of its own for
 * each build of the decoder; what it holds already counts.
 */
export async function keptImages(
  options: ImageCacheOptions,
  free: number,
  home: string,
): Promise<KeptImages> {
  const imageCacheBytes = imageCacheLimit(options, free);
  if (options.imageCache !== 'disk') return { imageCacheBytes };
  const { sharp, libvips } = decoderVersions();
  const folder = join(home, 'images', `sharp-${sharp}-libvips-${libvips}`);
  const held = await heldBytes(folder);
  const limit =
    options.imageCacheBytes ?? Math.min(MOST_ON_DISK, Math.floor((held + (await freeBelow(folder))) / 4));
  return { imageCacheBytes, imageFolder: { folder, room: Math.max(0, limit - held) } };
}

/** The options of the images kept in memory, which every step that decodes many times has. */
import { z } from 'zod';

export const imageCacheOptions = {
  imageCache: z
    .enum(['none', 'ram'])
    .optional()
    .describe(
      'ram: keep decoded images in memory, which is faster and grows with the data set (default: none)',
    ),
  imageCacheBytes: z
    .int()
    .min(0)
    .optional()
    .describe('memory for them; by default a quarter of what is free at the start, at most 4 GiB')
    .meta({ unit: 'bytes' }),
} as const;

export type ImageCacheOptions = z.output<z.ZodObject<typeof imageCacheOptions>>;

const MOST = 4 * 2 ** 30;

/** Bytes that decoded images may take, where `free` are available to the process. */
export function imageCacheLimit({ imageCache, imageCacheBytes }: ImageCacheOptions, free: number): number {
  const kept = imageCache ?? (imageCacheBytes === undefined ? 'none' : 'ram');
  if (kept === 'none') return 0;
  return imageCacheBytes ?? Math.max(0, Math.min(MOST, Math.floor(free / 4)));
}

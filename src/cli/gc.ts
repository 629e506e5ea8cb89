/** `softshard gc DIR --budget 50GB`: removes the caches that were not used for longest, until the rest fits. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { evictCache, findCaches, planEviction } from '../cache/evict.ts';
import { bytesText } from '../cache/inspect.ts';
import { defineStep, stepMain } from '../flow/step-main.ts';

const SIZE = /^(\d+(?:\.\d+)?) ?(B|KB|MB|GB|TB)$/i;
const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

/** `50GB` as bytes, in decimal units. */
export const sizeBytes = (text: string): number => {
  const [, number = '', unit = ''] = SIZE.exec(text.trim()) ?? [];
  return Number(number) * 1000 ** UNITS.indexOf(unit.toUpperCase());
};

export const command = defineStep({
  name: 'gc',
  summary: 'Removes whole caches, the least recently used first, until the rest fits; never one in use.',
  environment: 'none',
  options: z.strictObject({
    dir: z.string().describe('folder in which the caches lie').meta({ positional: true, placeholder: 'DIR' }),
    budget: z
      .string()
      .regex(SIZE, 'a size such as 500MB or 50GB')
      .describe('bytes that all caches may take together, such as 50GB')
      .meta({ placeholder: 'SIZE' }),
    yes: z.boolean().default(false).describe('remove them; without, it is only said what would go'),
  }),
  run: async ({ dir, budget, yes }) => {
    const caches = await findCaches(resolve(dir));
    const going = planEviction(caches, sizeBytes(budget));
    const removed: string[] = [];
    if (yes) for (const { folder } of going) if (await evictCache(folder)) removed.push(folder);
    const names = new Set(going.map(({ folder }) => folder));
    return {
      ...{ budgetBytes: sizeBytes(budget), isDone: yes, removed },
      bytes: caches.reduce((sum, { bytes }) => sum + bytes, 0),
      caches: caches.map((cache) => ({ ...cache, goes: names.has(cache.folder) })),
    };
  },
  describe: ({ caches, bytes, budgetBytes, isDone, removed }) => {
    const fate = ({ folder, goes, inUse }: (typeof caches)[number]): string => {
      if (!goes) return inUse ? 'stays: in use' : 'stays';
      if (!isDone) return 'would go';
      return removed.includes(folder) ? 'removed' : 'stays: in use since';
    };
    const rest = bytes - caches.reduce((sum, { goes, bytes: its }) => sum + (goes ? its : 0), 0);
    return [
      ...[...caches]
        .sort((a, b) => a.lastUsedMs - b.lastUsedMs)
        .map(
          (cache) =>
            `${cache.folder}: ${bytesText(cache.bytes)}, last used ${new Date(cache.lastUsedMs).toISOString()}${cache.sealed ? '' : ', not finished'}: ${fate(cache)}`,
        ),
      `${bytesText(bytes)} of ${bytesText(budgetBytes)} in ${caches.length} caches`,
      ...(rest > budgetBytes ? ['what is in use alone exceeds the budget'] : []),
      ...(isDone || rest === bytes ? [] : ['nothing was removed: --yes removes what would go']),
    ].join('\n');
  },
});

stepMain(import.meta.url, command);

/** `softshard inspect CACHE`: what a cache is, what it holds, and what made it. */
import { z } from 'zod';
import { folderStore } from '../cache/folder-store.ts';
import { inspectCache, summaryText } from '../cache/inspect.ts';
import { defineStep, stepMain } from '../flow/step-main.ts';

export const command = defineStep({
  name: 'inspect',
  summary: 'Shows what a cache holds, what it was made from and what made it. Only its small files are read.',
  environment: 'none',
  options: z.strictObject({
    cache: z.string().describe('folder of the cache').meta({ positional: true, placeholder: 'CACHE' }),
  }),
  run: ({ cache }) => inspectCache(folderStore(cache)),
  describe: summaryText,
});

stepMain(import.meta.url, command);

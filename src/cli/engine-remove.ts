/** `softshard engine remove`. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { removeEngine, softshardHome } from '../engine/install/index.ts';
import { defineStep, stepMain } from '../flow/step-main.ts';

export const command = defineStep({
  name: 'engine-remove',
  summary: 'Removes an installed engine.',
  environment: 'none',
  options: z.strictObject({
    name: z
      .string()
      .describe('name, as engine list shows it')
      .meta({ positional: true, placeholder: 'NAME' }),
    home: z.string().optional().describe('where engines are kept').meta({ placeholder: 'DIR' }),
  }),
  run: ({ name, ...options }) => {
    const home = options.home === undefined ? softshardHome() : resolve(options.home);
    removeEngine(name, home);
    return Promise.resolve({ removed: name, home });
  },
  describe: ({ removed }) => `removed ${removed}`,
});

stepMain(import.meta.url, command);

/** `softshard engine list`. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { findNativeEngine, isFound, listEngines, softshardHome } from '../engine/install/index.ts';
import { defineStep, stepMain } from '../flow/step-main.ts';

export const command = defineStep({
  name: 'engine-list',
  summary: 'Lists the installed engines; the one that this version uses is marked.',
  environment: 'none',
  options: z.strictObject({
    home: z.string().optional().describe('where engines are kept').meta({ placeholder: 'DIR' }),
  }),
  run: (options) => {
    const home = options.home === undefined ? softshardHome() : resolve(options.home);
    const used = findNativeEngine(home);
    return Promise.resolve({
      home,
      used: isFound(used) ? used.name : null,
      reason: isFound(used) ? null : used.missing,
      engines: listEngines(home),
    });
  },
  describe: ({ home, used, reason, engines }) =>
    [
      `engines in ${home}`,
      ...engines.map(
        (engine) =>
          `${engine.name === used ? '* ' : '  '}${engine.name}${'missing' in engine ? ` (${engine.missing})` : ''}`,
      ),
      ...(reason === null ? [] : [reason]),
    ].join('\n'),
});

stepMain(import.meta.url, command);

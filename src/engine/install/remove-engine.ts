/** Removes an installed engine. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SoftshardError } from '../../errors.ts';
import { enginesFolder, softshardHome } from './home.ts';
import { listEngines } from './native-engine.ts';

/**
 * Removes the engine `name` from `home`: it is renamed away first, so that it never looks half there.
 *
 * @throws E_USAGE when there is no engine of that name.
 */
export const removeEngine = (name: string, home: string = softshardHome()): void => {
  const engines = enginesFolder(home);
  const names = listEngines(home).map((engine) => engine.name);
  if (!names.includes(name) || !existsSync(join(engines, name)))
    throw new SoftshardError('E_USAGE', {
      message: 'There is no engine of that name.',
      expected: names.length === 0 ? `an engine, but none is installed in ${home}` : names.join(', '),
      found: name,
    });
  const away = join(engines, `.tmp-remove-${process.pid}`);
  mkdirSync(away, { recursive: true });
  renameSync(join(engines, name), join(away, name));
  rmSync(away, { recursive: true, force: true });
};

/** Where Softshard keeps what it provisions: engines, outside any project and its node_modules. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Variables that decide the place. */
export type HomeEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * The home folder: `SOFTSHARD_HOME`, else `softshard` in the user's cache folder (`XDG_CACHE_HOME`, `~/.cache`, on
 * macOS `~/Library/Caches`). Nothing is created.
 */
export const softshardHome = (
  environment: HomeEnvironment = process.env,
  platform: string = process.platform,
  userHome: string = homedir(),
): string => {
  const own = environment['SOFTSHARD_HOME'];
  if (own !== undefined && own !== '') return resolve(own);
  const xdg = environment['XDG_CACHE_HOME'];
  // The XDG specification has relative paths ignored.
  if (xdg?.startsWith('/') === true) return join(xdg, 'softshard');
  return join(userHome, ...(platform === 'darwin' ? ['Library', 'Caches'] : ['.cache']), 'softshard');
};

/** The folder of all engines in a home. */
export const enginesFolder = (home: string): string => join(home, 'engines');

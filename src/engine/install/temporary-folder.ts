/** Where an installation puts together what it then renames into place. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Path of this process's temporary folder in `place`, which is not there yet. Those of interrupted installations are
 * removed: under the installation's lock, which the caller holds, every one is a leftover.
 */
export const freshTemporary = (place: string): string => {
  for (const entry of readdirSync(place))
    if (entry.startsWith('.tmp-')) rmSync(join(place, entry), { recursive: true, force: true });
  return join(place, `.tmp-${process.pid}`);
};

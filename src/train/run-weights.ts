/** The weights that a run left. */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { SoftshardError } from '../errors.ts';
import { runFiles } from './run-files.ts';

/** The best weights of a run, else the last. Throws E_RUN_MISSING. */
export function weightsOf(folder: string): string {
  const { best, last } = runFiles(folder);
  const found = [best, last].find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new SoftshardError('E_RUN_MISSING', {
    message: 'A run has no weights to measure.',
    where: folder,
    expected: `${basename(best)} or ${basename(last)}`,
    remedy: 'Let softshard train finish an epoch first.',
  });
}

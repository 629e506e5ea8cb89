/** The binding's source; where npm dropped the optional package, a copy of it is fetched into the home first. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { findBindingSource, type BindingSource } from './binding-source.ts';
import { fetchKernels } from './fetch-kernels.ts';
import { enginesFolder } from './home.ts';
import { withInstallLock } from './install-lock.ts';
import { cannotInstall } from './requirements.ts';

export interface ProvideSourceOptions {
  readonly home: string;
  /** Tarballs that are already on this machine. */
  readonly kernelFiles: readonly string[];
  readonly offline: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal | undefined;
}

/** Finds the source, or fetches it under the installation's lock. Throws E_ENGINE_INSTALL, E_FILE. */
export const provideSource = async (options: ProvideSourceOptions): Promise<BindingSource> => {
  const { home, environment, say, offline } = options;
  const found = findBindingSource(home);
  if (found !== undefined) return found;
  const engines = enginesFolder(home);
  mkdirSync(engines, { recursive: true });
  mkdirSync(join(home, 'logs'), { recursive: true });
  const signalled = options.signal === undefined ? {} : { signal: options.signal };
  const fetching = {
    ...{ home, environment, offline, onMessage: say, files: options.kernelFiles },
    log: join(home, 'logs', 'engine-install.log'),
    ...signalled,
  };
  await withInstallLock(engines, () => fetchKernels(fetching), {
    ...signalled,
    onWait: (holder) => say(`waiting for the installation by process ${holder.pid}`),
  });
  const fetched = findBindingSource(home);
  if (fetched === undefined)
    throw cannotInstall('The fetched package is not found again.', `Remove ${home}/kernels and try again.`);
  return fetched;
};

/** Finds a Python that can import certain modules: one on the PATH, or a virtual environment made once and kept. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The Python to run, or why there is none. */
export type FoundPython = { readonly python: string } | { readonly skip: string };

const reasonOfFailure = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).trim().split('\n').at(-1) ?? '';

/**
 * A Python that can import `modules`; `packages` are what PyPI calls them. Makes the environment `name` below
 * `SOFTSHARD_HOME`, or below the system's temporary folder.
 */
export function pythonWith(
  name: string,
  modules: readonly string[],
  packages: readonly string[] = modules,
): FoundPython {
  const imports = (python: string): boolean => {
    try {
      execFileSync(python, ['-c', `import ${modules.join(', ')}`], { stdio: 'ignore', timeout: 60_000 });
      return true;
    } catch {
      return false;
    }
  };
  const wanted = packages.join(' and ');
  if (imports('python3')) return { python: 'python3' };
  const home = process.env['SOFTSHARD_HOME'] ?? join(tmpdir(), 'softshard-test-home');
  const environment = join(home, `python-${name}`);
  const python = join(environment, 'bin', 'python');
  if (existsSync(python) && imports(python)) return { python };
  if (process.env['SOFTSHARD_OFFLINE'] === '1') return { skip: `no ${wanted} for Python, and offline` };
  try {
    mkdirSync(home, { recursive: true });
    const quiet = { stdio: 'pipe', timeout: 240_000 } as const;
    execFileSync('python3', ['-m', 'venv', environment], quiet);
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages];
    execFileSync(python, install, quiet);
    return imports(python) ? { python } : { skip: `${wanted} was installed and cannot be imported` };
  } catch (error) {
    return { skip: `${wanted} could not be installed: ${reasonOfFailure(error)}` };
  }
}

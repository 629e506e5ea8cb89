/** Finds a Python that can import msgpack: one on the PATH, or a virtual environment made once and kept. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The Python to run, or why there is none. */
export type PythonWithMsgpack = { readonly python: string } | { readonly skip: string };

const imports = (python: string): boolean => {
  try {
    execFileSync(python, ['-c', 'import msgpack'], { stdio: 'ignore', timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
};

const reasonOfFailure = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).trim().split('\n').at(-1) ?? '';

/** Makes the environment below `SOFTSHARD_HOME`, or below the system's temporary folder. */
export function pythonWithMsgpack(): PythonWithMsgpack {
  if (imports('python3')) return { python: 'python3' };
  const home = process.env['SOFTSHARD_HOME'] ?? join(tmpdir(), 'softshard-test-home');
  const environment = join(home, 'python-msgpack');
  const python = join(environment, 'bin', 'python');
  if (existsSync(python) && imports(python)) return { python };
  if (process.env['SOFTSHARD_OFFLINE'] === '1') return { skip: 'no msgpack for Python, and offline' };
  try {
    mkdirSync(home, { recursive: true });
    const quiet = { stdio: 'pipe', timeout: 120_000 } as const;
    execFileSync('python3', ['-m', 'venv', environment], quiet);
    execFileSync(
      python,
      ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', 'msgpack'],
      quiet,
    );
    return imports(python) ? { python } : { skip: 'msgpack was installed and cannot be imported' };
  } catch (error) {
    return { skip: `msgpack could not be installed: ${reasonOfFailure(error)}` };
  }
}

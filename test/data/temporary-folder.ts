/** A temporary folder for one test, removed at its end. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface TemporaryFolder {
  readonly path: string;
  /** Writes a file below the folder, making its folders; returns its absolute path. */
  write(name: string, content: string | Uint8Array): string;
}

export function temporaryFolder(context: { after(fn: () => void): void }): TemporaryFolder {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'softshard-data-')));
  context.after(() => rmSync(path, { recursive: true, force: true }));
  return {
    path,
    write: (name, content) => {
      const file = join(path, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
      return file;
    },
  };
}

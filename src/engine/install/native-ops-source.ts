/** The C++ source of our own TensorFlow ops, which are compiled into the binding where that succeeds. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface NativeOpsSource {
  readonly folder: string;
  /** Paths of the files to compile. */
  readonly files: readonly string[];
  /** sha256 over names and contents of all C++ files, lower-case hex. */
  readonly sha256: string;
}

/** Reads the source that belongs to this version of Softshard. */
export const nativeOpsSource = (): NativeOpsSource => {
  const folder = fileURLToPath(new URL('../native-ops/', import.meta.url));
  const names = readdirSync(folder)
    .filter((name) => /\.(cc|h|inc)$/.test(name))
    .sort();
  const hash = createHash('sha256');
  for (const name of names) {
    const content = readFileSync(join(folder, name));
    hash.update(`${name}\0${content.length}\0`).update(content);
  }
  return {
    folder,
    files: names.filter((name) => name.endsWith('.cc')).map((name) => join(folder, name)),
    sha256: hash.digest('hex'),
  };
};

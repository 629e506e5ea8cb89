// Tells whether dist is what the sources compile to, by the names, sizes and times of their files.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Folders that are compiled. */
export const SOURCES = ['src', 'stages', 'pipelines'];

/** Holds the listing that dist was built from. */
export const STAMP = '.built-from';

/** A digest of everything that a build depends on. */
export const listing = (root) => {
  const files = [
    ...['package.json', 'tsconfig.json', 'tsconfig.build.json'],
    ...SOURCES.filter((folder) => existsSync(join(root, folder))).flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath.slice(root.length + 1), entry.name)),
    ),
  ].sort();
  const hash = createHash('sha256');
  for (const file of files) {
    const { size, mtimeMs } = statSync(join(root, file), { throwIfNoEntry: false }) ?? {};
    hash.update(`${file} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
};

/** Whether dist was built from the sources as they are. */
export const isFresh = (root) => {
  const stamp = join(root, 'dist', STAMP);
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === listing(root);
};

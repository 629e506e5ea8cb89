/** The image files of a source: a folder, searched recursively, or a text file with one path a line. */
import { existsSync } from 'node:fs';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { reasonOf, SoftshardError } from '../errors.ts';
import type { ImageSource } from './dataset-description.ts';
import { hasImageExtension } from './image-format.ts';

const failure = (where: string, cause: unknown): SoftshardError =>
  new SoftshardError('E_DATA_YAML', {
    message: 'A folder or list of images cannot be read.',
    where,
    expected: 'a folder of images, or a text file that lists them',
    found: reasonOf(cause),
    cause,
  });

const kindOf = async (path: string): Promise<'folder' | 'file' | 'none'> => {
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined) return 'none';
  return stats.isDirectory() ? 'folder' : 'file';
};

/** Adds the images below `folder`. Links are followed, but never into a folder that contains them. */
async function walk(
  folder: string,
  exclude: ReadonlySet<string>,
  above: ReadonlySet<string>,
  found: string[],
): Promise<void> {
  const real = await realpath(folder);
  if (above.has(real)) return;
  const chain = new Set([...above, real]);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    const linked = entry.isSymbolicLink() ? await kindOf(path) : undefined;
    if (linked === 'folder' || entry.isDirectory()) {
      if (!exclude.has(path)) await walk(path, exclude, chain, found);
    } else if (hasImageExtension(entry.name)) {
      found.push(path);
    }
  }
}

/** Paths of a list file. Relative ones start at its folder or, if nothing is there, at the root of the data set. */
async function readList(file: string, root: string): Promise<readonly string[]> {
  const folder = dirname(file);
  const lines = (await readFile(file, 'utf8')).replace(/^\uFEFF/, '').split('\n');
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== '' && hasImageExtension(line))
    .map((line) => {
      const beside = resolve(folder, line);
      const below = resolve(root, line);
      return line.startsWith('./') || existsSync(beside) || !existsSync(below) ? beside : below;
    });
}

/**
 * Absolute paths of the images of `source`, in no particular order; those of a list need not exist. Kept are names
 * with an image extension that do not begin with a dot. Paths are taken literally: no character is a wildcard.
 * Throws E_DATA_YAML when the folder or list cannot be read.
 */
export async function listImages(source: ImageSource, root: string): Promise<readonly string[]> {
  try {
    if ((await kindOf(source.path)) !== 'folder') return await readList(source.path, root);
    const found: string[] = [];
    await walk(source.path, source.exclude ?? new Set(), new Set(), found);
    return found;
  } catch (error) {
    throw failure(source.path, error);
  }
}

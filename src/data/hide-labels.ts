/** A data set of which few images keep their labels, and the others count as unlabelled. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { SoftshardError } from '../errors.ts';
import { readDataset } from './read-dataset.ts';

/**
 * Writes a data yaml, and the lists that it names, into `folder`: `count` training images spread over the set keep
 * their labels, the others are unlabelled. `data` is a data yaml with `train` and `val`. Returns the yaml's path.
 * Equal arguments give equal files. Throws E_USAGE when there are fewer images than labels are to stay.
 */
export async function hideLabels(data: string, count: number, folder: string): Promise<string> {
  const source = resolve(data);
  const { samples } = await readDataset({ data: source, split: 'train', badImages: 'error' });
  if (count < 1 || count > samples.length) {
    throw new SoftshardError('E_USAGE', {
      message: 'So many images cannot keep their labels.',
      where: source,
      expected: `1 to ${samples.length}`,
      found: `${count}`,
    });
  }
  const step = samples.length / count;
  const kept = new Set(Array.from({ length: count }, (_, i) => Math.floor(i * step)));
  const yaml = z
    .looseObject({ path: z.string().default('.'), val: z.unknown(), names: z.unknown() })
    .parse(parse(await readFile(source, 'utf8')));
  const root = resolve(dirname(source), yaml.path);
  await mkdir(folder, { recursive: true });
  for (const [name, isLabelled] of [
    ['labelled.txt', true],
    ['unlabelled.txt', false],
  ] as const) {
    const lines = samples.filter((_, i) => kept.has(i) === isLabelled).map(({ path }) => join(root, path));
    await writeFile(join(folder, name), `${lines.join('\n')}\n`);
  }
  const file = join(folder, 'few-labels.yaml');
  const [train, unlabelled] = ['labelled.txt', 'unlabelled.txt'].map((name) => join(folder, name));
  await writeFile(file, stringify({ path: root, train, unlabelled, val: yaml.val, names: yaml.names }));
  return file;
}

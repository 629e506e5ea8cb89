/** What a data set is known by in the identities of caches and runs. */
import { createHash } from 'node:crypto';
import type { Dataset, Sample } from './sample.ts';

/**
 * sha256, hex, over one line `PATH NUL SHA256 LF` a sample and then one line `PATH NUL dropped LF` for each image left
 * out, both in byte order of their paths. Labels do not enter.
 */
export function datasetDigest(
  samples: readonly Pick<Sample, 'path' | 'digest'>[],
  dropped: Dataset['dropped'],
): string {
  const hash = createHash('sha256');
  for (const { path, digest } of samples) hash.update(`${path}\0${digest}\n`);
  for (const { path } of dropped) hash.update(`${path}\0dropped\n`);
  return hash.digest('hex');
}

/**
 * sha256, hex, over one line `PATH NUL LABELS LF` a sample in byte order of the paths. LABELS is `unknown` without
 * annotation, else the rows `class cx cy w h` in their order, joined by `;`, numbers in the shortest decimal form that
 * reads back to the same float64.
 */
export function labelsDigest(samples: readonly Pick<Sample, 'path' | 'labels'>[]): string {
  const hash = createHash('sha256');
  for (const { path, labels } of samples) {
    const rows = labels?.map(({ classIndex, cx, cy, w, h }) => [classIndex, cx, cy, w, h].join(' '));
    hash.update(`${path}\0${rows?.join(';') ?? 'unknown'}\n`);
  }
  return hash.digest('hex');
}

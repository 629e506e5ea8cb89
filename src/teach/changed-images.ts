/** Which images are not those that the teacher saw: told by the pixel digests of the views at index 0. */
import { decodeView } from '../augment/view-codec.ts';
import type { ViewDecoder } from '../augment/view-decoder.ts';
import { imagesOf } from '../augment/decode-job.ts';
import type { Cache } from '../cache/cache-reader.ts';
import type { Dataset } from '../data/sample.ts';
import { isSoftshardError } from '../errors.ts';

/**
 * Decodes each sample's first view and compares. An image that a view with equal pixels shows is the same; the others
 * that a changed view shows are named, in the data set's order. Views that are not committed are passed over.
 */
export async function changedImages(
  cache: Cache,
  dataset: Dataset,
  decoder: Pick<ViewDecoder, 'decode'>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const suspected = new Set<number>();
  const cleared = new Set<number>();
  const [kind] = cache.kinds;
  for (const { index } of dataset.samples) {
    try {
      const target = await cache.read(index, 0, kind === undefined ? [] : [kind]);
      const record = decodeView(target.record);
      const shown = imagesOf(record).map(({ sample }) => sample);
      let same = false;
      try {
        const view = await decoder.decode(record, signal);
        same = view.pixelDigest === target.inputDigest;
        view.release();
      } catch (error) {
        if (!isSoftshardError(error, 'E_IMAGE')) throw error;
      }
      for (const sample of shown) (same ? cleared : suspected).add(sample);
    } catch (error) {
      if (!isSoftshardError(error) || !error.code.startsWith('E_CACHE_')) throw error;
    }
  }
  const named = [...suspected].filter((sample) => !cleared.has(sample)).sort((a, b) => a - b);
  return (named.length > 0 ? named : [...suspected]).map(
    (sample) => dataset.samples[sample]?.path ?? `sample ${sample}`,
  );
}

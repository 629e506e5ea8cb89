/** The pixels that `softshard decode` wrote, in the place of a decoder. */
import { decodeView } from '../augment/view-codec.ts';
import type { ViewDecoder } from '../augment/view-decoder.ts';
import { openCache } from '../cache/cache-reader.ts';
import { folderStore } from '../cache/folder-store.ts';
import { compareIdentity, type Identity } from '../cache/identity.ts';
import { byteBlob } from '../cache/target.ts';
import type { decoderVersions } from '../data/decoder-versions.ts';
import { PIXELS_KIND } from './answers.ts';

export interface PixelShards {
  /** Reads instead of decoding; the views have no labels. */
  readonly decoder: Pick<ViewDecoder, 'decode'>;
  /** What decoded the images when the shards were written. */
  readonly versions: ReturnType<typeof decoderVersions>;
}

/**
 * Opens finished pixel shards. Throws E_CACHE_IDENTITY when they show other views than `identity` asks for,
 * E_CACHE_INCOMPLETE when they are not finished, and what opening a cache throws.
 */
export async function openPixelShards(
  folder: string,
  identity: Identity,
  signal: AbortSignal,
): Promise<PixelShards> {
  const cache = await openCache(folderStore(folder), { signal });
  compareIdentity(identity, cache.manifest.identity);
  const { provenance } = cache.manifest;
  const version = (name: string): string => {
    const recorded = provenance[name];
    return typeof recorded === 'string' ? recorded : 'unknown';
  };
  return {
    decoder: {
      decode: async ({ sample, view }) => {
        const target = await cache.read(sample, view, [PIXELS_KIND]);
        return {
          record: decodeView(target.record, `${folder}, sample ${sample}, view ${view}`),
          pixels: byteBlob(target, PIXELS_KIND).data,
          labels: undefined,
          pixelDigest: target.inputDigest,
          release: () => undefined,
        };
      },
    },
    versions: { sharp: version('sharp'), libvips: version('libvips') },
  };
}

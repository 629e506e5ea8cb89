/**
 * Extensions: later views, more kinds or codecs of a finished cache, each a cache of its own in a folder inside it, so
 * that no byte of what it extends changes.
 */
import { openCache, type Cache, type ReadOptions } from './cache-reader.ts';
import type { Answer, Extent } from './extent.ts';
import { EXTENSIONS_PREFIX, MANIFEST_NAME, SEAL_NAME } from './formats.ts';
import { compareIdentity, type JsonRecord } from './identity.ts';
import { mergeCaches, type MergeSource, type MergedCache } from './merge-caches.ts';
import { prefixedStore } from './prefixed-store.ts';
import type { Store } from './store.ts';

/** Folder of an extension, counted from 1, ending in `/`. */
export const extensionPrefix = (number: number): string =>
  `${EXTENSIONS_PREFIX}${String(number).padStart(3, '0')}/`;

/** The stores of a cache's extensions, those that are not finished included, in their order. */
export async function extensionStores(store: Store): Promise<readonly Store[]> {
  const stores: Store[] = [];
  for (let number = 1; ; number++) {
    const extension = prefixedStore(store, extensionPrefix(number));
    if ((await extension.size(MANIFEST_NAME)) === undefined) return stores;
    stores.push(extension);
  }
}

const withoutAnswers = (identity: JsonRecord): JsonRecord =>
  Object.fromEntries(Object.entries(identity).filter(([name]) => name !== 'answers'));

/** Throws E_CACHE_IDENTITY when an extension is of another teacher or of other views than its cache. */
export const checkExtends = (extension: JsonRecord, base: JsonRecord): void =>
  compareIdentity(withoutAnswers(base), withoutAnswers(extension));

/**
 * Opens a cache and its finished extensions as one: each kind of each view from the first that holds it. Throws as
 * `openCache` does, E_CACHE_IDENTITY for an extension of another cache.
 */
export async function openExtended(base: Cache, store: Store, options: ReadOptions): Promise<MergedCache> {
  const sources: MergeSource[] = [{ label: store.label, cache: base }];
  for (const extension of await extensionStores(store)) {
    if ((await extension.size(SEAL_NAME)) === undefined) continue;
    const cache = await openCache(extension, options);
    checkExtends(cache.manifest.identity, base.manifest.identity);
    sources.push({ label: extension.label, cache });
  }
  return mergeCaches(sources, 'first');
}

/** Answers that a run of view indices lacks. */
export interface MissingBlock {
  readonly firstView: number;
  readonly views: number;
  readonly answers: readonly Answer[];
}

const keyOf = ({ kind, codec }: Answer): string => `${kind} in ${codec}`;

/** What of `views` view indices with these answers the extents do not hold: runs of views that lack the same. */
export function missingBlocks(
  extents: readonly Extent[],
  views: number,
  answers: readonly Answer[],
): readonly MissingBlock[] {
  const lacking = (view: number): readonly Answer[] =>
    answers.filter(
      (answer) =>
        !extents.some(
          ({ firstView = 0, views: held, answers: known }) =>
            view >= firstView && view < firstView + held && known.some((one) => keyOf(one) === keyOf(answer)),
        ),
    );
  const blocks: MissingBlock[] = [];
  for (let view = 0; view < views; view++) {
    const missing = lacking(view);
    const last = blocks.at(-1);
    const isNext = last !== undefined && last.firstView + last.views === view;
    if (isNext && last.answers.map(keyOf).join() === missing.map(keyOf).join()) {
      blocks[blocks.length - 1] = { ...last, views: last.views + 1 };
    } else if (missing.length > 0) blocks.push({ firstView: view, views: 1, answers: missing });
  }
  return blocks;
}

/** The caches that a run learns from, by the options: one or several, finished or growing. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openCache, type Cache } from '../cache/cache-reader.ts';
import { sha256Hex } from '../cache/document.ts';
import { openExtended } from '../cache/extensions.ts';
import { followCache, type FollowWait } from '../cache/follow-cache.ts';
import { folderStore } from '../cache/folder-store.ts';
import { firstDifference } from '../cache/identity.ts';
import { mergeCaches, type MergedCache, type MergeRule, type MergeSource } from '../cache/merge-caches.ts';
import { lockReader } from '../cache/reader-lock.ts';
import { SoftshardError } from '../errors.ts';
import { monotonicClock } from '../flow/monotonic-clock.ts';
import { HEAD_CODECS } from '../head-codec/codecs.ts';
import { featureKind, HEADS_KIND } from '../teach/answers.ts';
import { describeTeacherCache, type TeacherCache } from '../teach/teacher-cache.ts';
import { canonicalJson, shortJson } from '../text/canonical-json.ts';
import type { DataContext } from './run-data.ts';

/** `DIR` or `DIR@KIND,KIND,...`: a cache, and what is taken from it. */
export function cacheSpec(text: string): { readonly path: string; readonly kinds?: readonly string[] } {
  const at = text.lastIndexOf('@');
  const folder = (path: string): string => path.replace(/(?<=.)\/+$/, '');
  if (at <= 0 || existsSync(text)) return { path: folder(text) };
  return { path: folder(text.slice(0, at)), kinds: text.slice(at + 1).split(',') };
}

const waitText = (path: string, { unit, total }: FollowWait): string =>
  unit === undefined
    ? `waiting for ${path}: there is no cache yet; softshard teach begins one`
    : `waiting for unit ${unit} of ${total ?? 0} of ${path}, which softshard teach makes`;

async function openOne(text: string, follow: boolean, context: DataContext): Promise<MergeSource> {
  const { path, kinds } = cacheSpec(text);
  const { signal } = context;
  const options = { signal, codecs: HEAD_CODECS };
  const store = folderStore(path);
  const base: Cache = follow
    ? await followCache(store, {
        ...{ ...options, clock: monotonicClock, beside: folderStore(`${path}.local`) },
        onWait: (wait) => context.info(waitText(path, wait)),
      })
    : await openCache(store, options);
  return { label: path, cache: await openExtended(base, store, options), kinds };
}

/** Throws E_CACHE_IDENTITY unless teachers whose heads are averaged have the same head. */
function checkSameHeads(sources: readonly MergeSource[]): void {
  const heads = sources.map(({ cache }) => canonicalJson(describeTeacherCache(cache.manifest).head));
  heads.forEach((head, i) => {
    const difference = firstDifference(heads[0], head);
    if (difference === undefined) return;
    throw new SoftshardError('E_CACHE_IDENTITY', {
      message: 'The heads of these teachers have no mean: they are not alike.',
      where: `head.${difference.path} of ${sources[i]?.label ?? ''}`,
      expected: `${shortJson(difference.expected)} (${sources[0]?.label ?? ''})`,
      found: shortJson(difference.found),
      remedy: 'Use --merge first, which takes the heads of the first cache.',
    });
  });
}

/** Names who answers what: one digest where one teacher answers everything. */
function digestOf(merged: MergedCache): string {
  const answering = merged.kinds.map(
    (kind) =>
      [
        kind,
        merged
          .sourcesOf(kind)
          .map(({ cache }) => describeTeacherCache(cache.manifest).teacherDigest)
          .join('+'),
      ] as const,
  );
  const [only, ...others] = [...new Set(answering.map(([, digest]) => digest))];
  if (only !== undefined && others.length === 0) return only;
  return sha256Hex(JSON.stringify(canonicalJson(Object.fromEntries(answering))));
}

/** The teacher, or teachers, behind a merge as if they were one. */
function describeMerged(merged: MergedCache): TeacherCache {
  const heads = merged.sourcesOf(HEADS_KIND);
  checkSameHeads(heads);
  const base = describeTeacherCache(merged.manifest);
  const [first] = heads;
  const { head, layerChannels, layerStrides } =
    first === undefined ? base : describeTeacherCache(first.cache.manifest);
  const channels = [...layerChannels];
  const strides = [...layerStrides];
  const hints: number[] = [];
  const depth = Math.max(
    ...merged.kinds.flatMap((kind) =>
      merged.sourcesOf(kind).map(({ cache }) => describeTeacherCache(cache.manifest).layerChannels.length),
    ),
  );
  for (let layer = 0; layer < depth; layer++) {
    const [source] = merged.sourcesOf(featureKind(layer));
    if (source === undefined) continue;
    const its = describeTeacherCache(source.cache.manifest);
    channels[layer] = its.layerChannels[layer] ?? 0;
    strides[layer] = its.layerStrides[layer] ?? 0;
    hints.push(layer);
  }
  return {
    ...{ ...base, head, hints, teacherDigest: digestOf(merged) },
    layerChannels: Array.from(channels, (value) => value),
    layerStrides: Array.from(strides, (value) => value),
  };
}

export interface OpenedCaches {
  readonly reader: MergedCache;
  readonly teacher: TeacherCache;
  /** Tells that they are no longer read. */
  readonly close: () => Promise<void>;
}

/**
 * Opens the caches of a run, in their order. With `follow` they may still grow: what is not there yet is waited for.
 * Throws as `openCache`, `followCache` and `mergeCaches` do, and E_CACHE_IDENTITY where a mean cannot be taken.
 */
export async function openCaches(
  caches: readonly string[],
  options: { readonly follow: boolean; readonly merge: MergeRule },
  context: DataContext,
): Promise<OpenedCaches> {
  const sources: MergeSource[] = [];
  const locks: { release(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    for (const lock of locks) await lock.release();
  };
  try {
    for (const text of caches) {
      const { path } = cacheSpec(text);
      // A mistyped name leaves nothing behind.
      if (existsSync(join(path, 'cache.json'))) locks.push(await lockReader(`${path}.local`));
      sources.push(await openOne(text, options.follow, context));
    }
    const reader = mergeCaches(sources, options.merge);
    return { reader, teacher: describeMerged(reader), close };
  } catch (error) {
    await close();
    throw error;
  }
}

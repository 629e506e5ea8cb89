/**
 * Several caches read as one: answers to the same views, each kind from the cache that the rule names. Nothing is
 * copied.
 */
import type { ViewKey } from '../data/plan.ts';
import { SoftshardError } from '../errors.ts';
import { canonicalJson, shortJson } from '../text/canonical-json.ts';
import type { Cache } from './cache-reader.ts';
import { firstDifference, type JsonRecord } from './identity.ts';
import type { Manifest } from './manifest.ts';
import type { Blob, Target } from './target.ts';

/**
 * What answers a view in a kind that several caches hold: `first` the first of them in the order given, `mean` the
 * arithmetic mean of their values (of raw logits, for heads), in float32.
 */
export type MergeRule = 'first' | 'mean';

/** A cache as a merge reads it: one, or a merge itself. */
export interface Mergeable extends Pick<Cache, 'manifest' | 'kinds' | 'read'> {
  /** Whether a kind is answered at a view index; by default as the manifest's extent says. */
  holds?(kind: string, view: number): boolean;
  /** The view index after the last; by default as the manifest's extent says. */
  readonly endView?: number;
}

/** One of the caches, under the name that errors call it by. */
export interface MergeSource {
  readonly label: string;
  readonly cache: Mergeable;
  /** Kinds that are taken from it; all by default. */
  readonly kinds?: readonly string[] | undefined;
}

/** The caches of a merge that answer one kind of one view, in order. */
export interface MergedCache extends Pick<Cache, 'kinds' | 'read' | 'readMany'> {
  /** The first cache's, with the extent of the whole. */
  readonly manifest: Manifest;
  /** Leading view indices at which all of these kinds are answered. */
  viewsOf(kinds: readonly string[]): number;
  holds(kind: string, view: number): boolean;
  readonly endView: number;
  /** Which caches answer a kind, in order: one under the rule `first`. */
  sourcesOf(kind: string): readonly MergeSource[];
}

/** Fields of an identity that the caches of a merge may differ in: who answers, and what. */
const FREE_FIELDS = ['teacher', 'answers'] as const;

const viewIdentity = (identity: JsonRecord): JsonRecord =>
  Object.fromEntries(Object.entries(identity).filter(([name]) => !FREE_FIELDS.some((free) => free === name)));

/** Throws E_CACHE_IDENTITY naming the first field in which two caches' views differ, and both values. */
export function compareViews(first: MergeSource, other: MergeSource): void {
  const views = ({ cache: { manifest } }: MergeSource): JsonRecord =>
    canonicalJson({ ...viewIdentity(manifest.identity), samples: manifest.extent.samples }) as JsonRecord;
  const difference = firstDifference(views(first), views(other));
  if (difference === undefined) return;
  throw new SoftshardError('E_CACHE_IDENTITY', {
    message: 'The caches cannot be merged: they hold answers to other views.',
    where: `${difference.path} of ${other.label}`,
    expected: `${shortJson(difference.expected)} (${first.label})`,
    found: shortJson(difference.found),
    remedy: 'Teach both with the same data, seed, image size and augmentation.',
  });
}

function meanBlob(blobs: readonly Blob[], name: string, where: string): Blob {
  const [first] = blobs;
  if (first === undefined) throw new Error('a mean needs a blob');
  const { shape } = first;
  const data = new Float32Array(first.data.length);
  for (const blob of blobs) {
    if (blob.dtype === 'uint8' || blob.shape.join() !== shape.join()) {
      throw new SoftshardError('E_CACHE_IDENTITY', {
        message: 'The caches cannot be merged by their mean: their answers have other shapes.',
        where: `${name} of ${where}`,
        expected: shape.join('x'),
        found: blob.shape.join('x'),
        remedy: 'Merge by the rule first, or name the kinds to take from each cache (DIR@KIND,...).',
      });
    }
    for (let i = 0; i < data.length; i++) data[i] = (data[i] ?? 0) + (blob.data[i] ?? 0) / blobs.length;
  }
  return { shape, data };
}

/** The answers of several caches to one view, in one. */
function joinAnswers(parts: readonly (readonly Target[])[], sources: string, where: string): Target {
  const first = parts[0]?.[0];
  if (first === undefined) throw new Error('a view needs an answer');
  const blobs = new Map<string, Blob>();
  for (const targets of parts) {
    for (const { inputDigest } of targets) {
      if (inputDigest === first.inputDigest) continue;
      throw new SoftshardError('E_PIXELS', {
        message: 'The caches were made from other pixels of the same view.',
        where: `${where}, of ${sources}`,
        expected: first.inputDigest,
        found: inputDigest,
        remedy: 'Teach both with the same versions of the image decoder: softshard inspect shows them.',
      });
    }
    for (const name of targets[0]?.blobs.keys() ?? []) {
      const values = targets.flatMap((target) => target.blobs.get(name) ?? []);
      const [only] = values;
      if (only !== undefined) blobs.set(name, values.length === 1 ? only : meanBlob(values, name, where));
    }
  }
  return { ...first, blobs };
}

const endOf = ({ cache }: MergeSource): number => {
  const { firstView = 0, views } = cache.manifest.extent;
  return cache.endView ?? firstView + views;
};

const isHeld = ({ cache }: MergeSource, kind: string, view: number): boolean => {
  if (cache.holds !== undefined) return cache.holds(kind, view);
  const { firstView = 0, views } = cache.manifest.extent;
  return cache.kinds.includes(kind) && view >= firstView && view < firstView + views;
};

const CONCURRENT_READS = 8;

/**
 * Merges caches of the same views. Their order decides; the first also says how views are cut into units. Throws
 * E_CACHE_IDENTITY where their views differ, E_CACHE_INCOMPLETE where a cache lacks a kind that is named for it.
 */
export function mergeCaches(sources: readonly MergeSource[], rule: MergeRule): MergedCache {
  const [first] = sources;
  if (first === undefined) throw new Error('a merge needs a cache');
  for (const source of sources) {
    compareViews(first, source);
    const lacking = source.kinds?.find((kind) => !source.cache.kinds.includes(kind));
    if (lacking !== undefined) {
      throw new SoftshardError('E_CACHE_INCOMPLETE', {
        message: 'The cache holds no answers of that kind.',
        where: source.label,
        expected: source.cache.kinds.join(', '),
        found: lacking,
      });
    }
  }
  const kindsOf = ({ kinds, cache }: MergeSource): readonly string[] => kinds ?? cache.kinds;
  const kinds = [...new Set(sources.flatMap(kindsOf))];
  const chosen = (all: readonly MergeSource[]): readonly MergeSource[] =>
    rule === 'first' ? all.slice(0, 1) : all;
  const holding = (kind: string, view: number): readonly MergeSource[] =>
    sources.filter((source) => kindsOf(source).includes(kind) && isHeld(source, kind, view));
  const end = Math.max(...sources.map(endOf));
  const viewsOf = (asked: readonly string[]): number => {
    let view = 0;
    while (view < end && asked.every((kind) => holding(kind, view).length > 0)) view++;
    return view;
  };

  const read = async (sample: number, view: number, asked: readonly string[] = kinds): Promise<Target> => {
    const where = `sample ${sample}, view ${view}`;
    const parts = await Promise.all(
      asked.map(async (kind) => {
        const from = chosen(holding(kind, view));
        if (from.length > 0) {
          return Promise.all(from.map(async ({ cache }) => cache.read(sample, view, [kind])));
        }
        throw new SoftshardError('E_CACHE_INCOMPLETE', {
          message: 'None of the caches answers that.',
          where,
          expected: kind,
          found: `${kinds.join(', ')}; ${viewsOf([kind])} views of ${kind}`,
          remedy: 'softshard extend CACHE adds views and kinds to a cache.',
        });
      }),
    );
    return joinAnswers(parts, sources.map(({ label }) => label).join(', '), where);
  };

  const answers = kinds.flatMap((kind) => {
    const source = sources.find((each) => kindsOf(each).includes(kind));
    return source?.cache.manifest.extent.answers.find((answer) => answer.kind === kind) ?? [];
  });
  const { manifest } = first.cache;
  return {
    manifest: { ...manifest, extent: { ...manifest.extent, views: Math.max(1, viewsOf(kinds)), answers } },
    kinds,
    read,
    readMany: async (keys: readonly ViewKey[], asked) => {
      const targets: Target[] = [];
      for (let start = 0; start < keys.length; start += CONCURRENT_READS) {
        const batch = keys.slice(start, start + CONCURRENT_READS);
        targets.push(...(await Promise.all(batch.map(({ sample, view }) => read(sample, view, asked)))));
      }
      return targets;
    },
    viewsOf,
    holds: (kind, view) => holding(kind, view).length > 0,
    endView: end,
    sourcesOf: (kind) => chosen(sources.filter((source) => kindsOf(source).includes(kind))),
  };
}

/**
 * Identity decides whether a cache may be reused at all; provenance whether the same bits would come out again.
 * Both are open records of plain data that the steps fill; they are compared field by field.
 */
import { SoftshardError, type ErrorCode } from '../errors.ts';
import { canonicalJson, shortJson, type Json } from '../text/canonical-json.ts';

/** A record of plain data by field name. */
export type JsonRecord = Readonly<Record<string, Json>>;

/**
 * What the cached answers depend on. Known fields, filled by the step that makes the cache:
 *
 * - `data`: sha256 over sample paths and image digests, hex; `dropped`: the samples left out
 * - `seed`: of all keyed draws; `augmentation`: its options as numbers, `{}` for letterbox only
 * - `preprocessing`: `imgsz` in pixels and the like; `views`, `samples`, `unitViews`: how the plan is cut
 * - `teacher`: sha256 over canonical tensors and graph, hex, and a summary of the graph
 * - `answers`: which heads, which hint layers; `stages`: {id, version, options} of custom stages
 */
export type Identity = JsonRecord;

/**
 * What decides the last bits of an answer: engine, builds of TensorFlow and tfjs, batch-norm folding, threads, ISA,
 * versions of sharp, libvips, Node and V8, the teacher's batch size. No time, host, path or rate.
 */
export type Provenance = JsonRecord;

/** The first field in which two records differ, as a dotted path; `undefined` stands for a missing one. */
export interface Difference {
  readonly path: string;
  readonly expected: Json | undefined;
  readonly found: Json | undefined;
}

const isRecord = (value: Json | undefined): value is JsonRecord =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

/** Finds the first difference: `expected`'s fields in their own order, then what only `found` has. */
export function firstDifference(
  expected: Json | undefined,
  found: Json | undefined,
  path = '',
): Difference | undefined {
  if (isList(expected) && isList(found)) {
    for (let i = 0; i < Math.max(expected.length, found.length); i++) {
      const difference = firstDifference(expected[i], found[i], `${path}[${i}]`);
      if (difference !== undefined) return difference;
    }
    return undefined;
  }
  if (isRecord(expected) && isRecord(found)) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(found)])) {
      const below = path === '' ? key : `${path}.${key}`;
      const has = (record: JsonRecord): Json | undefined =>
        Object.hasOwn(record, key) ? record[key] : undefined;
      const difference = firstDifference(has(expected), has(found), below);
      if (difference !== undefined) return difference;
    }
    return undefined;
  }
  const equal = expected === found || JSON.stringify(expected) === JSON.stringify(found);
  return equal ? undefined : { path, expected, found };
}

function compare(code: ErrorCode, message: string, remedy: string, expected: unknown, found: Json): void {
  // The canonical copy drops what has no value, but the order of the caller's fields decides what is named first.
  const canonical = canonicalJson(expected);
  const inOrder =
    isRecord(canonical) && typeof expected === 'object' && expected !== null
      ? Object.fromEntries(
          Object.keys(expected).flatMap((key) => {
            const value = canonical[key];
            return value === undefined ? [] : [[key, value]];
          }),
        )
      : canonical;
  const difference = firstDifference(inOrder, found);
  if (difference === undefined) return;
  throw new SoftshardError(code, {
    message,
    where: difference.path,
    expected: shortJson(difference.expected),
    found: shortJson(difference.found),
    remedy,
  });
}

/** Throws E_CACHE_IDENTITY naming the first field (dotted path) in which the cache differs, and both values. */
export function compareIdentity(expected: JsonRecord, found: JsonRecord): void {
  compare(
    'E_CACHE_IDENTITY',
    'The cache answers another question than this command asks.',
    'Give the options that the cache was made with, or name another cache folder.',
    expected,
    found,
  );
}

/** Throws E_CACHE_PROVENANCE naming the first field in which the makers differ, and both values. */
export function compareProvenance(expected: JsonRecord, found: JsonRecord): void {
  compare(
    'E_CACHE_PROVENANCE',
    'The cache was begun by another build or setting, which would give other bits.',
    'Go on with the engine, versions and settings that began it, or begin a new cache folder.',
    expected,
    found,
  );
}

/** Throws E_CACHE_IDENTITY when a cache's extent is not the one asked for; the path begins with `extent`. */
export function compareExtent(expected: unknown, found: unknown): void {
  compare(
    'E_CACHE_IDENTITY',
    'The cache has another extent than this command asks for.',
    'Give the views, answers and codecs that the cache was made with, or name another cache folder.',
    { extent: canonicalJson(expected) },
    { extent: canonicalJson(found) },
  );
}

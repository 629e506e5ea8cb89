/** Names of objects in a store: POSIX-like, relative, and safe on every file system and object store. */
import { SoftshardError } from '../errors.ts';

const SEGMENT = /^[A-Za-z0-9_][A-Za-z0-9._=+-]{0,199}$/;
const MAX_NAME = 900;

const badName = (name: string, expected: string): SoftshardError =>
  new SoftshardError('E_CACHE_FORMAT', {
    message: 'A name that no file of a cache can have.',
    expected,
    found: JSON.stringify(name.slice(0, MAX_NAME)),
  });

/** Whether `name` is one path segment that a store accepts. */
export const isStoreSegment = (name: string): boolean => SEGMENT.test(name);

/**
 * Checks a store name: segments of letters, digits and `._=+-` joined by `/`, none beginning with a dot. So there
 * is no `..`, no absolute path, no backslash and no hidden file. Throws E_CACHE_FORMAT; returns the name.
 */
export function storeName(name: string): string {
  if (name.length > MAX_NAME || !name.split('/').every(isStoreSegment)) {
    throw badName(name, 'segments of letters, digits and ._=+- joined by /, none beginning with a dot');
  }
  return name;
}

/** Checks a listing's prefix: empty, or folders ending in `/`. Throws E_CACHE_FORMAT; returns the prefix. */
export function storePrefix(prefix: string): string {
  if (prefix === '') return prefix;
  if (!prefix.endsWith('/')) throw badName(prefix, 'an empty prefix, or one that ends in /');
  storeName(prefix.slice(0, -1));
  return prefix;
}

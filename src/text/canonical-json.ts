/** Plain data that JSON can carry, in one canonical form, so that equal data have equal bytes. */
import { SoftshardError } from '../errors.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Deepest nesting that is written or read. */
export const MAX_DEPTH = 64;

const notPlain = (path: string, found: string): SoftshardError =>
  new SoftshardError('E_CODEC', {
    message: 'A value that is not plain JSON data cannot be stored.',
    expected: 'null, boolean, finite number, string, array or plain object',
    found,
    where: path === '' ? 'the value itself' : path,
  });

const isPlainObject = (value: object): value is Readonly<Record<string, unknown>> => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};

/**
 * The canonical copy of plain data: keys sorted by UTF-16 code unit, keys without a value left out, -0 as 0.
 * Throws E_CODEC naming the path of what JSON cannot carry (NaN, Infinity, functions, typed arrays, ...).
 */
export function canonicalJson(value: unknown, path = '', depth = 0): Json {
  if (depth > MAX_DEPTH) throw notPlain(path, `more than ${MAX_DEPTH} levels of nesting`);
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw notPlain(path, String(value));
    return value === 0 ? 0 : value;
  }
  if (Array.isArray(value)) {
    return value.map((item: unknown, i) => canonicalJson(item, `${path}[${i}]`, depth + 1));
  }
  if (typeof value !== 'object' || !isPlainObject(value)) throw notPlain(path, typeof value);
  if (Object.hasOwn(value, '__proto__')) throw notPlain(path, 'a key __proto__');
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]): [string, Json] => [
      key,
      canonicalJson(item, path === '' ? key : `${path}.${key}`, depth + 1),
    ]);
  return Object.fromEntries(entries);
}

/** A value in one line for a message, cut where it is long. */
export const shortJson = (value: unknown): string => {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 197)}...` : text;
};

/**
 * The JSON files of a cache: canonical text that carries {format, major, minor} and its own digest, so that a
 * changed byte shows before anything is sealed.
 */
import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { reasonOf, SoftshardError } from '../errors.ts';
import { canonicalJson, type Json } from '../text/canonical-json.ts';
import { corrupt, malformed } from './corrupt.ts';

/** Name and version of one kind of file. */
export interface FileFormat {
  readonly format: string;
  readonly major: number;
  readonly minor: number;
}

/** Largest JSON file that is read, bytes: an index of COCO x 300 views needs a tenth of it. */
export const MAX_DOCUMENT_BYTES = 256 * 1024 * 1024;

const NO_DIGEST = '0'.repeat(64);
const HEAD = '{\n "digest": "';

export const sha256Hex = (bytes: Uint8Array | string): string =>
  createHash('sha256').update(bytes).digest('hex');

/**
 * The file's bytes: one line a field, sorted, `digest` first. The digest is the sha256 of these bytes with zeros
 * in its own place (bytes 14 to 77). Throws E_CODEC on what JSON cannot carry.
 */
export function encodeDocument(format: FileFormat, body: Readonly<Record<string, unknown>>): Uint8Array {
  const content = canonicalJson({ ...body, ...format, digest: undefined });
  const lines = Object.entries(content as Record<string, Json>).map(
    ([key, value]) => ` ${JSON.stringify(key)}: ${JSON.stringify(value)}`,
  );
  const blank = `${[`${HEAD}${NO_DIGEST}"`, ...lines].join(',\n')}\n}\n`;
  return Buffer.from(blank.replace(NO_DIGEST, sha256Hex(blank)));
}

function parse(text: string, where: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = canonicalJson(JSON.parse(text));
  } catch (cause) {
    throw malformed(where, reasonOf(cause), { expected: 'JSON', cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw malformed(where, 'JSON that is not an object');
  }
  return Object.fromEntries(Object.entries(value));
}

function checkVersion(found: Readonly<Record<string, unknown>>, format: FileFormat, where: string): void {
  if (found['format'] !== format.format) {
    throw malformed(where, `format ${String(found['format'])}`, { expected: format.format });
  }
  if (found['major'] !== format.major) {
    throw new SoftshardError('E_CACHE_FORMAT', {
      message: 'A file of the cache has a major version that this program does not know.',
      expected: `${format.format} ${format.major}.x`,
      found: `${format.format} ${String(found['major'])}.${String(found['minor'])}`,
      where,
      remedy: 'Read it with the version of Softshard that wrote it, or a newer one.',
    });
  }
}

/**
 * Reads a file that `encodeDocument` wrote. Unknown fields are kept when `schema` is loose. Throws E_CACHE_FORMAT
 * on anything malformed or an unknown major, E_CACHE_CORRUPT when the text disagrees with its own digest.
 */
export function decodeDocument<S extends z.ZodType>(
  bytes: Uint8Array,
  format: FileFormat,
  schema: S,
  where: string,
): z.infer<S> {
  if (bytes.byteLength > MAX_DOCUMENT_BYTES) {
    throw malformed(where, `${bytes.byteLength} bytes`, { expected: `at most ${MAX_DOCUMENT_BYTES} bytes` });
  }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  const value = parse(text, where);
  checkVersion(value, format, where);
  checkDigest(bytes, text.slice(HEAD.length, HEAD.length + NO_DIGEST.length), text.startsWith(HEAD), where);
  const result = schema.safeParse(value);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw malformed(`${where}: ${issue?.path.map(String).join('.') ?? ''}`, issue?.message ?? 'unknown');
  }
  return result.data;
}

/** Takes the digest over the raw bytes, with zeros in its own place. */
function checkDigest(bytes: Uint8Array, stated: string, inPlace: boolean, where: string): void {
  const blank = Buffer.from(bytes);
  blank.write(NO_DIGEST, HEAD.length, 'latin1');
  const found = sha256Hex(blank);
  if (inPlace && stated === found) return;
  throw corrupt(where, found, { expected: inPlace ? stated : 'a digest as the first field' });
}

/**
 * Standard msgpack of plain data, read so that hostile bytes cost nothing: the structure is walked and bounded
 * before anything is built. No extension types, no 64-bit integers (larger numbers are float64), no bin in maps.
 */
import { Packr, Unpackr } from 'msgpackr';
import { reasonOf } from '../errors.ts';
import { malformed } from './corrupt.ts';
import { canonicalJson, MAX_DEPTH, type Json } from '../text/canonical-json.ts';

/** Largest msgpack object of plain data that is written or read, bytes. */
export const MAX_PLAIN_BYTES = 1024 * 1024;

const OPTIONS = { useRecords: false, variableMapSize: true, mapsAsObjects: true } as const;
const packr = new Packr(OPTIONS);
const unpackr = new Unpackr(OPTIONS);

/** The bytes of plain data in canonical form. Throws E_CODEC on what is not plain or is too large. */
export function packPlain(value: unknown, where: string): Uint8Array {
  // pack() hands out a slice of a pooled buffer: copy it before the next call.
  const bytes = Uint8Array.from(packr.pack(canonicalJson(value)));
  if (bytes.byteLength > MAX_PLAIN_BYTES) {
    throw malformed(where, `${bytes.byteLength} bytes of plain data`, {
      message: 'A record is too large for the cache.',
      expected: `at most ${MAX_PLAIN_BYTES} bytes`,
    });
  }
  return bytes;
}

/** One token of msgpack: its head's bytes, its body's bytes, and how many objects follow inside. */
interface Token {
  readonly head: number;
  readonly body: number;
  readonly children: number;
  readonly kind: 'value' | 'string' | 'array' | 'map';
}

const value = (head: number): Token => ({ head, body: 0, children: 0, kind: 'value' });
const string = (head: number, body: number): Token => ({ head, body, children: 0, kind: 'string' });
const array = (head: number, children: number): Token => ({ head, body: 0, children, kind: 'array' });
const map = (head: number, pairs: number): Token => ({ head, body: 0, children: 2 * pairs, kind: 'map' });

const SCALAR_HEADS: Readonly<Record<number, number>> = {
  [0xc0]: 1, // nil
  [0xc2]: 1, // false
  [0xc3]: 1, // true
  [0xca]: 5, // float32
  [0xcb]: 9, // float64
  [0xcc]: 2, // uint8
  [0xcd]: 3, // uint16
  [0xce]: 5, // uint32
  [0xd0]: 2, // int8
  [0xd1]: 3, // int16
  [0xd2]: 5, // int32
};

function tokenAt(view: DataView, at: number): Token | undefined {
  const byte = view.getUint8(at);
  if (byte <= 0x7f || byte >= 0xe0) return value(1);
  if (byte <= 0x8f) return map(1, byte & 0x0f);
  if (byte <= 0x9f) return array(1, byte & 0x0f);
  if (byte <= 0xbf) return string(1, byte & 0x1f);
  const scalar = SCALAR_HEADS[byte];
  if (scalar !== undefined) return value(scalar);
  switch (byte) {
    case 0xd9:
      return string(2, view.getUint8(at + 1));
    case 0xda:
      return string(3, view.getUint16(at + 1));
    case 0xdb:
      return string(5, view.getUint32(at + 1));
    case 0xdc:
      return array(3, view.getUint16(at + 1));
    case 0xdd:
      return array(5, view.getUint32(at + 1));
    case 0xde:
      return map(3, view.getUint16(at + 1));
    case 0xdf:
      return map(5, view.getUint32(at + 1));
    default:
      return undefined;
  }
}

/** Finds where the plain object that begins at `start` ends. Throws E_CACHE_FORMAT before it would read beyond. */
function endOfPlain(bytes: Uint8Array, start: number, where: string): number {
  const end = Math.min(bytes.byteLength, start + MAX_PLAIN_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, end);
  const fail = (at: number, found: string) =>
    malformed(`${where}, byte ${at}`, found, { expected: 'msgpack' });
  /** Objects still to come at each level, and whether that level is a map (then even ones are its keys). */
  const open: { left: number; readonly map: boolean }[] = [{ left: 1, map: false }];
  let at = start;
  for (let level = open.at(-1); level !== undefined; level = open.at(-1)) {
    if (level.left === 0) {
      open.pop();
      continue;
    }
    let token: Token | undefined;
    try {
      token = tokenAt(view, at);
    } catch {
      throw fail(at, 'the end of the bytes');
    }
    if (token === undefined) throw fail(at, `type byte ${view.getUint8(at)}`);
    if (level.map && level.left % 2 === 0 && token.kind !== 'string')
      throw fail(at, 'a map key that is no text');
    level.left--;
    at += token.head + token.body;
    // Every child takes a byte at least, so a count beyond what is left is a lie.
    if (at + token.children > end) throw fail(at, 'an object longer than the bytes that are left');
    if (token.children > 0) {
      if (open.length > MAX_DEPTH) throw fail(at, `more than ${MAX_DEPTH} levels of nesting`);
      open.push({ left: token.children, map: token.kind === 'map' });
    }
  }
  return at;
}

/** Plain data and the offset behind it. */
export interface Unpacked {
  readonly value: Json;
  readonly end: number;
}

/** Reads the plain object that begins at `start`. Throws E_CACHE_FORMAT, and never allocates beyond its bytes. */
export function unpackPlain(bytes: Uint8Array, start: number, where: string): Unpacked {
  const end = endOfPlain(bytes, start, where);
  try {
    // A copy, so that nothing unpacked keeps the shard's buffer alive.
    return { value: unpackr.unpack(bytes.slice(start, end)) as Json, end };
  } catch (cause) {
    throw malformed(`${where}, byte ${start}`, reasonOf(cause), { expected: 'msgpack', cause });
  }
}

/**
 * One record of a shard: who is answered, the realised view, and the answer's blobs. A msgpack map, then one bin
 * for each blob (after nils, so that its first byte lies at a multiple of 64), then the crc32 as a uint32.
 */
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { SoftshardError } from '../errors.ts';
import { codecSpec, type Codec } from './codec.ts';
import { corrupt, malformed } from './corrupt.ts';
import { packPlain, unpackPlain } from './msgpack.ts';
import { elementsOf, type Blob, type BlobDtype, type Target } from './target.ts';

/** Alignment of records in a shard and of blobs in a record, bytes. */
export const ALIGNMENT = 64;

/** Most values that a blob may hold: 1 GiB of float32. */
export const MAX_BLOB_VALUES = 2 ** 28;

const BIN_HEAD = 5; // bin32: 0xc6 and the length, big-endian
const CRC_BYTES = 5; // uint32: 0xce and the value, big-endian
const NIL = 0xc0;

const uint32 = z.int().min(0).max(0xffffffff);

/** One blob in a record's map; `offset` counts from the record's first byte. */
interface BlobEntry {
  readonly name: string;
  readonly dtype: BlobDtype;
  readonly shape: readonly number[];
  /** Canonical spec of the codec. */
  readonly codec: string;
  readonly offset: number;
  readonly bytes: number;
}

export const blobEntrySchema = z.looseObject({
  name: z.string().min(1).max(200),
  dtype: z.enum(['float32', 'uint8']),
  shape: z.array(uint32).max(8),
  codec: z.string().max(1000),
  offset: uint32,
  bytes: uint32,
});

export const recordSchema = z.looseObject({
  sample: uint32,
  view: uint32,
  input: z.string().max(200),
  record: z.unknown(),
  blobs: z.array(blobEntrySchema).max(4096),
});

export const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Offsets of the blobs in the record, and where its crc stands, when its map takes `mapBytes`. */
function layout(mapBytes: number, sizes: readonly number[]): { offsets: number[]; end: number } {
  let end = mapBytes;
  const offsets = sizes.map((size) => {
    const offset = align(end + BIN_HEAD);
    end = offset + size;
    return offset;
  });
  return { offsets, end };
}

/** The map with the blobs' offsets in it, which depend on its own length: repeated until both agree. */
function packMap(target: Target, blobs: readonly Omit<BlobEntry, 'offset'>[], where: string) {
  const sizes = blobs.map((blob) => blob.bytes);
  for (let mapBytes = 0; ;) {
    const { offsets, end } = layout(mapBytes, sizes);
    const entries = blobs.map((blob, i) => ({ ...blob, offset: offsets[i] ?? 0 }));
    const { sample, view, inputDigest: input, record } = target;
    const map = packPlain({ sample, view, input, record, blobs: entries }, where);
    if (map.byteLength === mapBytes) return { map, offsets, end };
    mapBytes = map.byteLength;
  }
}

const missingBlob = (name: string, target: Target, where: string): SoftshardError =>
  new SoftshardError('E_INTERNAL', {
    message: 'A target lacks a blob that the cache is to hold.',
    expected: name,
    found: [...target.blobs.keys()].join(', ') || 'no blobs',
    where,
  });

/** The record's bytes for the named blobs of a target. Throws E_CODEC for what the codec cannot represent. */
export function encodeRecord(target: Target, names: readonly string[], codec: Codec): Uint8Array {
  const where = `sample ${target.sample}, view ${target.view}`;
  const encoded: Uint8Array[] = [];
  const blobs = names.map((name) => {
    const blob = target.blobs.get(name);
    if (blob === undefined) throw missingBlob(name, target, where);
    const bytes = codec.encode(blob, `${name} of ${where}`);
    encoded.push(bytes);
    return {
      name,
      dtype: codec.dtype,
      shape: blob.shape,
      codec: codecSpec(codec),
      bytes: bytes.byteLength,
    };
  });
  const { map, offsets, end } = packMap(target, blobs, where);
  const out = Buffer.alloc(end + CRC_BYTES, NIL);
  out.set(map);
  encoded.forEach((bytes, i) => {
    const offset = offsets[i] ?? 0;
    out.writeUInt8(0xc6, offset - BIN_HEAD);
    out.writeUInt32BE(bytes.byteLength, offset - BIN_HEAD + 1);
    out.set(bytes, offset);
  });
  out.writeUInt8(0xce, end);
  out.writeUInt32BE(crc32(out.subarray(0, end)), end + 1);
  return out;
}

/** Bytes of the record whose map, of `mapBytes` bytes, is `map`. Throws E_CACHE_FORMAT. */
export function recordBytes(map: unknown, mapBytes: number, where: string): number {
  const parsed = recordSchema.safeParse(map);
  if (!parsed.success) throw malformed(where, parsed.error.issues[0]?.message ?? 'unknown');
  const sizes = parsed.data.blobs.map(({ bytes }) => bytes);
  return layout(mapBytes, sizes).end + CRC_BYTES;
}

/** The crc32 that stands at the end of a record. Throws E_CACHE_FORMAT when none does. */
export function storedCrc(record: Uint8Array, where: string): number {
  const end = record.byteLength - CRC_BYTES;
  if (end < 1 || record[end] !== 0xce) throw malformed(where, 'no crc32 at its end');
  return new DataView(record.buffer, record.byteOffset + end).getUint32(1);
}

/** Compares a record's bytes with its crc32 (and with the one stated elsewhere). Throws E_CACHE_CORRUPT. */
export function checkCrc(record: Uint8Array, where: string, stated?: number): void {
  const stored = storedCrc(record, where);
  const found = crc32(record.subarray(0, record.byteLength - CRC_BYTES));
  if (found !== stored || (stated !== undefined && found !== stated)) {
    const hex = (crc: number): string => `crc32 ${crc.toString(16).padStart(8, '0')}`;
    throw corrupt(where, hex(found), { expected: hex(stated ?? stored) });
  }
}

function decodeBlob(record: Uint8Array, entry: BlobEntry, codec: Codec, where: string): Blob {
  const { shape, offset, bytes } = entry;
  const spec = codecSpec(codec);
  if (entry.codec !== spec || entry.dtype !== codec.dtype) {
    throw malformed(where, `${entry.dtype} in ${entry.codec}`, { expected: `${codec.dtype} in ${spec}` });
  }
  const values = elementsOf(shape);
  if (!(values <= MAX_BLOB_VALUES)) throw malformed(where, `${values} values`);
  const { min, max } = codec.boundsBytes(shape);
  if (bytes < min || bytes > max) {
    throw malformed(where, `${bytes} bytes`, {
      expected: `${min} to ${max} for shape [${shape.join(', ')}]`,
    });
  }
  const data = codec.decode(record.subarray(offset, offset + bytes), shape, where);
  if (data.length !== values) throw corrupt(where, `${data.length} values`, { expected: String(values) });
  return data instanceof Float32Array ? { dtype: 'float32', shape, data } : { dtype: 'uint8', shape, data };
}

/** Throws E_CACHE_FORMAT unless each blob lies where the layout puts it, behind a head that states its length. */
function checkLayout(
  record: Uint8Array,
  mapBytes: number,
  entries: readonly BlobEntry[],
  where: string,
): void {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const { offsets, end } = layout(
    mapBytes,
    entries.map((entry) => entry.bytes),
  );
  if (end + CRC_BYTES !== record.byteLength) {
    throw malformed(where, `${record.byteLength} bytes`, { expected: `${end + CRC_BYTES} bytes` });
  }
  entries.forEach(({ name, offset, bytes }, i) => {
    const head = offset - BIN_HEAD;
    if (offset !== offsets[i] || view.getUint8(head) !== 0xc6 || view.getUint32(head + 1) !== bytes) {
      throw malformed(where, `blob ${name} at offset ${offset}`, {
        expected: `offset ${String(offsets[i])}`,
      });
    }
  });
}

/**
 * Reads a record. Its bytes must begin at a multiple of four in memory for blobs to be views on them, otherwise
 * they are copied. Throws E_CACHE_FORMAT or E_CACHE_CORRUPT, whatever the bytes are; check the crc first.
 */
export function decodeRecord(record: Uint8Array, codec: Codec, where: string): Target {
  storedCrc(record, where);
  const { value, end } = unpackPlain(record.subarray(0, record.byteLength - CRC_BYTES), 0, where);
  const parsed = recordSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw malformed(`${where}: ${issue?.path.map(String).join('.') ?? ''}`, issue?.message ?? 'unknown');
  }
  const { sample, view, input, blobs } = parsed.data;
  checkLayout(record, end, blobs, where);
  const decoded = new Map(
    blobs.map((entry) => [entry.name, decodeBlob(record, entry, codec, `${where}, ${entry.name}`)]),
  );
  if (decoded.size !== blobs.length) throw malformed(where, 'two blobs of one name');
  return { sample, view, inputDigest: input, record: parsed.data.record, blobs: decoded };
}

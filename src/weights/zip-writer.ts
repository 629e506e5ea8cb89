/** Writes zip files with stored entries, the same bytes for the same entries. */
import { crc32 } from 'node:zlib';
import { SoftshardError } from '../errors.ts';

export interface ZipEntryData {
  readonly name: string;
  readonly data: Uint8Array;
}

const LIMIT = 0xffffffff;
const VERSION = 20;
const UTF8_NAME = 0x800;
/** 1 January 1980, 00:00, the first moment that zip can state. */
const DATE = 0x21;
/** Private extra field that pads the local header. */
const PADDING_FIELD = 0x4246;

/** The fields that both headers of an entry share, from "version needed" to the name's length. */
function commonHeader(name: Uint8Array, data: Uint8Array, crc: number): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt16LE(VERSION, 0);
  header.writeUInt16LE(UTF8_NAME, 2);
  // 4: method 0, stored; 6: time 0
  header.writeUInt16LE(DATE, 8);
  header.writeUInt32LE(crc, 10);
  header.writeUInt32LE(data.byteLength, 14);
  header.writeUInt32LE(data.byteLength, 18);
  header.writeUInt16LE(name.byteLength, 22);
  return header;
}

const u16 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 2);
  values.forEach((value, i) => bytes.writeUInt16LE(value, i * 2));
  return bytes;
};

const u32 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => bytes.writeUInt32LE(value, i * 4));
  return bytes;
};

/** An extra field that makes the data after it start at a multiple of `alignment`. */
function padding(headerEnd: number, alignment: number): Buffer {
  const length = (alignment - ((headerEnd + 4) % alignment)) % alignment;
  return Buffer.concat([u16(PADDING_FIELD, length), Buffer.alloc(length)]);
}

/**
 * The pieces of a zip file with `entries` in order, stored, without data descriptors; each entry's data start at
 * a multiple of `alignment` bytes (64 by default). Throws E_EXPORT beyond 4 GiB or 65,534 entries.
 */
export function zipChunks(entries: readonly ZipEntryData[], alignment = 64): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  const emit = (...parts: Uint8Array[]): void => {
    chunks.push(...parts);
    at += parts.reduce((sum, part) => sum + part.byteLength, 0);
  };
  for (const { name, data } of entries) {
    const nameBytes = Buffer.from(name, 'utf8');
    const common = commonHeader(nameBytes, data, crc32(data));
    const offset = at;
    const extra = padding(at + 30 + nameBytes.byteLength, alignment);
    emit(u32(0x04034b50), common, u16(extra.byteLength), nameBytes, extra, data);
    // made by, [common], extra, comment, disk, internal; external attributes and offset
    directory.push(u32(0x02014b50), u16(VERSION), common, u16(0, 0, 0, 0), u32(0, offset), nameBytes);
    if (at > LIMIT) break;
  }
  const start = at;
  emit(...directory);
  if (at > LIMIT || entries.length >= 0xffff) {
    throw new SoftshardError('E_EXPORT', {
      message: 'Weights beyond 4 GiB cannot be written as a .pt file.',
      remedy: 'Export them as safetensors.',
    });
  }
  const count = entries.length;
  emit(u32(0x06054b50), u16(0, 0, count, count), u32(at - start, start), u16(0));
  return chunks;
}

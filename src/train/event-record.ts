/**
 * TensorBoard's event files: records framed as TensorFlow frames them (length, data, a masked CRC-32C of each), every
 * record one `Event` message of protocol buffers. Only what scalars need.
 */

/** Values of one step. */
export interface ScalarEvent {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
  /** By tag; stored as float32. */
  readonly values: Readonly<Record<string, number>>;
}

const CASTAGNOLI = 0x82f63b78;
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ CASTAGNOLI : crc >>> 1;
  return crc;
});

/** CRC-32C (Castagnoli) of bytes, as an unsigned number. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** The checksum as records hold it: turned by 15 bits and shifted, so that a checksum of checksums tells something. */
export function maskedChecksum(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

const HEADER_BYTES = 12;
const FOOTER_BYTES = 4;

/** Frames one record. */
export function encodeRecord(data: Uint8Array): Buffer {
  const record = Buffer.alloc(HEADER_BYTES + data.length + FOOTER_BYTES);
  record.writeBigUInt64LE(BigInt(data.length), 0);
  record.writeUInt32LE(maskedChecksum(record.subarray(0, 8)), 8);
  record.set(data, HEADER_BYTES);
  record.writeUInt32LE(maskedChecksum(data), HEADER_BYTES + data.length);
  return record;
}

/** The records of a file up to the first that is cut off or damaged, and the bytes that they take. */
export function decodeRecords(bytes: Buffer): {
  readonly records: readonly Buffer[];
  readonly length: number;
} {
  const records: Buffer[] = [];
  let at = 0;
  while (at + HEADER_BYTES <= bytes.length) {
    const head = bytes.subarray(at, at + 8);
    if (bytes.readUInt32LE(at + 8) !== maskedChecksum(head)) break;
    const size = Number(head.readBigUInt64LE());
    const end = at + HEADER_BYTES + size;
    if (end + FOOTER_BYTES > bytes.length) break;
    const data = bytes.subarray(at + HEADER_BYTES, end);
    if (bytes.readUInt32LE(end) !== maskedChecksum(data)) break;
    records.push(data);
    at = end + FOOTER_BYTES;
  }
  return { records, length: at };
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** A field's number and wire type: 0 varint, 1 eight bytes, 2 a length and bytes, 5 four bytes. */
const key = (field: number, wire: 0 | 1 | 2 | 5): Buffer => varint(field * 8 + wire);
const bytesField = (field: number, bytes: Buffer): Buffer =>
  Buffer.concat([key(field, 2), varint(bytes.length), bytes]);

function doubleField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([key(field, 1), bytes]);
}

function floatField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([key(field, 5), bytes]);
}

/** The record that every file begins with: the version of the format. */
export const encodeVersion = (wallTime: number): Buffer =>
  encodeRecord(Buffer.concat([doubleField(1, wallTime), bytesField(3, Buffer.from('brain.Event:2'))]));

/** One step's scalars as a record. Event: wall_time 1, step 2, summary 5; summary's value 1: tag 1, simple_value 2. */
export function encodeScalars({ wallTime, step, values }: ScalarEvent): Buffer {
  const summary = Object.entries(values).map(([tag, value]) =>
    bytesField(1, Buffer.concat([bytesField(1, Buffer.from(tag)), floatField(2, value)])),
  );
  return encodeRecord(
    Buffer.concat([doubleField(1, wallTime), key(2, 0), varint(step), bytesField(5, Buffer.concat(summary))]),
  );
}

interface Field {
  readonly field: number;
  readonly number: number;
  readonly bytes: Buffer;
}

/** The fields of a message. Throws RangeError on bytes that are none. */
function fieldsOf(message: Buffer): readonly Field[] {
  const fields: Field[] = [];
  let at = 0;
  const readVarint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = message.readUInt8(at++);
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = readVarint();
    const [field, wire] = [Math.floor(tag / 8), tag % 8];
    const number = wire === 0 ? readVarint() : NaN;
    const size = wire === 2 ? readVarint() : wire === 1 ? 8 : wire === 5 ? 4 : 0;
    if (at + size > message.length) throw new RangeError('a field is cut off');
    fields.push({ field, number, bytes: message.subarray(at, at + size) });
    at += size;
  }
  return fields;
}

/** Reads what `encodeScalars` wrote, without its frame; undefined for a record without scalars, as the first one is. */
export function decodeScalars(record: Buffer): ScalarEvent | undefined {
  const event = fieldsOf(record);
  const of = (fields: readonly Field[], number: number): Field | undefined =>
    fields.find(({ field }) => field === number);
  const summary = of(event, 5);
  if (summary === undefined) return undefined;
  const values = fieldsOf(summary.bytes).map(({ bytes }): [string, number] => {
    const value = fieldsOf(bytes);
    return [of(value, 1)?.bytes.toString() ?? '', of(value, 2)?.bytes.readFloatLE() ?? NaN];
  });
  const wallTime = of(event, 1)?.bytes.readDoubleLE() ?? NaN;
  return { wallTime, step: of(event, 2)?.number ?? 0, values: Object.fromEntries(values) };
}

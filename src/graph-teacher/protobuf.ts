/** The wire format of protocol buffers, as far as reading a message's fields and appending to it needs. */
import { SoftshardError } from '../errors.ts';

/** One field of a message: its number, and its value as a number or as bytes (views on the message's). */
export interface WireField {
  readonly number: number;
  /** Value of a varint; 0 for other kinds. Exact up to 2^53. */
  readonly value: number;
  /** Content of a string, bytes, packed list or embedded message; empty for other kinds. */
  readonly bytes: Uint8Array;
}

const NOTHING = new Uint8Array();

const damaged = (where: string): SoftshardError =>
  new SoftshardError('E_WEIGHTS_FORMAT', {
    message:
      'A file is not the protocol buffer that it should be: it is truncated, damaged, or something else.',
    where,
    remedy: 'Fetch or export the file again.',
  });

/** The fields of a message in their order. Throws E_WEIGHTS_FORMAT naming `where` when the bytes are no message. */
export function* wireFields(message: Uint8Array, where: string): Generator<WireField> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; at < message.length; scale *= 128) {
      const byte = message[at++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      if (scale > 2 ** 63) break;
    }
    throw damaged(where);
  };
  const take = (length: number): Uint8Array => {
    if (at + length > message.length) throw damaged(where);
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    if (number === 0) throw damaged(where);
    const kind = tag % 8;
    if (kind === 0) yield { number, value: varint(), bytes: NOTHING };
    else if (kind === 2) yield { number, value: 0, bytes: take(varint()) };
    else if (kind === 1 || kind === 5) {
      take(kind === 1 ? 8 : 4);
      yield { number, value: 0, bytes: NOTHING };
    } else throw damaged(where);
  }
}

const decoder = new TextDecoder();

/** Text of a string field. */
export const wireText = ({ bytes }: WireField): string => decoder.decode(bytes);

function varintBytes(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
}

/** A field with a number for its value. */
export const numberField = (number: number, value: number): Uint8Array =>
  Uint8Array.from([...varintBytes(number * 8), ...varintBytes(value)]);

/** A field with text, or with the fields of an embedded message. */
export function bytesField(number: number, content: string | readonly Uint8Array[]): Uint8Array {
  const bytes = typeof content === 'string' ? Buffer.from(content) : Buffer.concat(content);
  return Buffer.concat([
    Uint8Array.from([...varintBytes(number * 8 + 2), ...varintBytes(bytes.length)]),
    bytes,
  ]);
}

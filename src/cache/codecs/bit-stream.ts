/** Bits, the highest of each byte first: what an entropy coder's distributions have no symbol for. */
import { corrupt } from '../corrupt.ts';

/** Leading zeros of a number at most: values below 2^31. */
const MOST_ZEROS = 31;

export class BitSink {
  private readonly bytes: number[] = [];
  private count = 0;

  private bit(bit: number): void {
    if (this.count % 8 === 0) this.bytes.push(0);
    if (bit !== 0) this.bytes[this.bytes.length - 1] = (this.bytes.at(-1) ?? 0) | (128 >> (this.count % 8));
    this.count += 1;
  }

  /** A signed number by Elias' gamma code of n + 1, where n is twice the magnitude, less 1 for a positive number. */
  signed(value: number): void {
    const code = (value > 0 ? 2 * value - 1 : -2 * value) + 1;
    const length = Math.floor(Math.log2(code));
    for (let i = 0; i < length; i++) this.bit(0);
    for (let i = length; i >= 0; i--) this.bit(Math.floor(code / 2 ** i) % 2);
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.bytes);
  }
}

export class BitSource {
  private count = 0;
  private readonly bytes: Uint8Array;
  private readonly where: string;

  constructor(bytes: Uint8Array, where: string) {
    this.bytes = bytes;
    this.where = where;
  }

  private bit(): number {
    const byte = this.bytes[this.count >> 3];
    if (byte === undefined) throw corrupt(this.where, 'too few bits');
    return (byte >> (7 - (this.count++ & 7))) & 1;
  }

  /** The next number of `BitSink.signed`. Throws E_CACHE_CORRUPT where the bits end, or no encoder wrote them. */
  signed(): number {
    let zeros = 0;
    while (this.bit() === 0) if (++zeros > MOST_ZEROS) throw corrupt(this.where, 'a number without end');
    let code = 1;
    for (let i = 0; i < zeros; i++) code = 2 * code + this.bit();
    const n = code - 1;
    return n % 2 === 1 ? (n + 1) / 2 : 0 - n / 2;
  }

  /** Throws E_CACHE_CORRUPT unless only the last byte's padding is left, and it is 0. */
  end(): void {
    while (this.count % 8 !== 0) if (this.bit() !== 0) throw corrupt(this.where, 'padding that is not 0');
    if (this.count !== 8 * this.bytes.byteLength) throw corrupt(this.where, 'bytes behind the end');
  }
}

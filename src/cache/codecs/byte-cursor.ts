/** Reading and writing of bytes front to back: whole numbers of variable length, and runs of bytes. */
import { corrupt } from '../corrupt.ts';

/** Bytes that grow. */
export class ByteSink {
  private bytes = new Uint8Array(1024);
  private length = 0;

  private grow(by: number): void {
    if (this.length + by <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.bytes.length, this.length + by));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  /** Seven bits a byte, the lowest first; the highest bit of a byte says that another follows. 0 to 2^32 - 1. */
  whole(value: number): void {
    this.grow(5);
    let rest = value;
    while (rest > 127) {
      this.bytes[this.length++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.bytes[this.length++] = rest;
  }

  /** A signed number as `whole` of 2n, or of -2n - 1 where n is negative. */
  signed(value: number): void {
    this.whole(value < 0 ? -2 * value - 1 : 2 * value);
  }

  run(bytes: Uint8Array): void {
    this.grow(bytes.byteLength);
    this.bytes.set(bytes, this.length);
    this.length += bytes.byteLength;
  }

  /** What was written, in memory of its own. */
  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}

/** Reads what a `ByteSink` wrote; everything throws E_CACHE_CORRUPT where the bytes end too early. */
export class ByteSource {
  private at = 0;
  private readonly bytes: Uint8Array;
  private readonly where: string;

  constructor(bytes: Uint8Array, where: string) {
    this.bytes = bytes;
    this.where = where;
  }

  whole(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 28; scale *= 128) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw this.fail('too few bytes');
      value += (byte & 127) * scale;
      if (byte < 128) {
        if (value > 0xffffffff || (byte === 0 && scale > 1)) break;
        return value;
      }
    }
    throw this.fail('a number that no encoder writes');
  }

  signed(): number {
    const value = this.whole();
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  }

  /** The next `count` bytes, in the memory of the source. */
  run(count: number): Uint8Array {
    if (count > this.bytes.byteLength - this.at) throw this.fail('too few bytes');
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  /** Throws E_CACHE_CORRUPT unless everything was read. */
  end(): void {
    if (this.at !== this.bytes.byteLength) throw this.fail('bytes behind the end');
  }

  private fail(found: string): ReturnType<typeof corrupt> {
    return corrupt(this.where, found);
  }
}

/** The entropy coder's reading half; see `symbol-writer.ts`. */
import { corrupt } from '../corrupt.ts';
import { BitSource } from './bit-stream.ts';
import type { ByteSource } from './byte-cursor.ts';
import {
  BANK_SIZE,
  FREQUENCY,
  LARGER,
  PRECISION,
  START,
  SYMBOL_AT,
  SYMBOLS,
  valueOf,
} from './distribution-bank.ts';
import { FIRST_STATE, type SymbolShape } from './symbol-writer.ts';

const SLOTS = 2 ** PRECISION;

export class SymbolReader {
  private readonly flags: number;
  private readonly distribution: Uint8Array;
  private readonly states: Uint32Array;
  private readonly words: Uint8Array;
  private readonly larger: BitSource;
  private readonly where: string;
  private at = 0;

  /** Reads what `SymbolWriter.finish` wrote. Throws E_CACHE_CORRUPT for bytes that it cannot have written. */
  constructor(source: ByteSource, { flags, numbers, lanes }: SymbolShape, where: string) {
    const contexts = flags + numbers;
    this.flags = flags;
    this.where = where;
    this.distribution = new Uint8Array(contexts);
    const used = source.run(Math.ceil(contexts / 8));
    for (let c = 0; c < 8 * used.length; c++) {
      if ((((used[c >> 3] ?? 0) >> (c & 7)) & 1) === 0) continue;
      const index = source.run(1)[0] ?? 0;
      if (c >= contexts || index >= BANK_SIZE) throw corrupt(where, 'a distribution that does not exist');
      this.distribution[c] = c < flags ? index + BANK_SIZE : index;
    }
    for (let c = 0; c < flags; c++) this.distribution[c] = Math.max(BANK_SIZE, this.distribution[c] ?? 0);
    const count = source.whole();
    this.states = Uint32Array.from({ length: lanes }, () => {
      const [a = 0, b = 0, c = 0, d = 0] = source.run(4);
      return a + b * 2 ** 8 + c * 2 ** 16 + d * 2 ** 24;
    });
    this.words = source.run(2 * count);
    this.larger = new BitSource(source.run(source.whole()), where);
  }

  private symbol(lane: number, context: number): number {
    const distribution = this.distribution[context] ?? 0;
    let state = this.states[lane] ?? 0;
    const slot = state & (SLOTS - 1);
    const symbol = SYMBOL_AT[distribution * SLOTS + slot] ?? 0;
    const entry = distribution * SYMBOLS + symbol;
    state = (Math.imul(FREQUENCY[entry] ?? 0, state >>> PRECISION) + slot - (START[entry] ?? 0)) >>> 0;
    if (state < FIRST_STATE) {
      const at = this.at;
      if (at >= this.words.length) throw corrupt(this.where, 'too few words');
      state = ((state << 16) | (this.words[at] ?? 0) | ((this.words[at + 1] ?? 0) << 8)) >>> 0;
      this.at = at + 2;
    }
    this.states[lane] = state;
    return symbol;
  }

  flag(lane: number, context: number): boolean {
    return this.symbol(lane, context) === 1;
  }

  number(lane: number, context: number): number {
    const symbol = this.symbol(lane, this.flags + context);
    return symbol === LARGER ? this.larger.signed() : valueOf(symbol);
  }

  /** Throws E_CACHE_CORRUPT unless exactly what was written has been read. */
  end(): void {
    if (this.at !== this.words.length || this.states.some((state) => state !== FIRST_STATE)) {
      throw corrupt(this.where, 'symbols that no encoder writes');
    }
    this.larger.end();
  }
}

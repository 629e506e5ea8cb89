/**
 * The entropy coder's writing half: whole numbers and flags, each in a context, in as few bits as their contexts'
 * distributions allow. Range variant of asymmetric numeral systems (Duda 2013), several interleaved states ("lanes")
 * over one stream of 16-bit words, states of 32 bits; static distributions of a fixed bank.
 */
import { BitSink } from './bit-stream.ts';
import type { ByteSink } from './byte-cursor.ts';
import {
  BANK_SIZE,
  COST,
  FREQUENCY,
  LARGER,
  PRECISION,
  START,
  SYMBOLS,
  symbolOf,
} from './distribution-bank.ts';

/** A state between symbols is at least this; every lane begins (and reading ends) with it. */
export const FIRST_STATE = 2 ** 16;

/** What a number without a symbol costs beside the symbol `LARGER`, 1/256 bit; a guess good enough to choose by. */
const LARGER_COST = 12 * 256;

export interface SymbolShape {
  /** Contexts of flags come first, then those of whole numbers. */
  readonly flags: number;
  readonly numbers: number;
  readonly lanes: number;
}

export class SymbolWriter {
  private readonly shape: SymbolShape;
  private readonly contexts: number[] = [];
  private readonly values: number[] = [];
  private readonly lanes: number[] = [];
  private readonly counts: Uint32Array;

  constructor(shape: SymbolShape) {
    this.shape = shape;
    this.counts = new Uint32Array((shape.flags + shape.numbers) * SYMBOLS);
  }

  private add(lane: number, context: number, value: number, symbol: number): void {
    this.lanes.push(lane);
    this.contexts.push(context);
    this.values.push(value);
    const at = context * SYMBOLS + symbol;
    this.counts[at] = (this.counts[at] ?? 0) + 1;
  }

  /** `context` counts from 0 among those of flags. */
  flag(lane: number, context: number, set: boolean): void {
    this.add(lane, context, set ? 1 : 0, set ? 1 : 0);
  }

  /** `context` counts from 0 among those of whole numbers. `value` has a magnitude below 2^30. */
  number(lane: number, context: number, value: number): void {
    this.add(lane, this.shape.flags + context, value, symbolOf(value));
  }

  /** The distribution of least cost for what a context holds; the first of equals. */
  private choose(context: number): number {
    const first = context < this.shape.flags ? BANK_SIZE : 0;
    let best = first;
    let bestCost = Infinity;
    for (let d = first; d < first + BANK_SIZE; d++) {
      const larger = (COST[d * SYMBOLS + LARGER] ?? 0) + LARGER_COST;
      let cost = 0;
      for (let s = 0; s < SYMBOLS; s++) {
        const count = this.counts[context * SYMBOLS + s] ?? 0;
        if (count === 0) continue;
        const has = s !== LARGER && (FREQUENCY[d * SYMBOLS + s] ?? 0) > 0;
        cost += count * (has ? (COST[d * SYMBOLS + s] ?? 0) : larger);
      }
      if (cost < bestCost) {
        best = d;
        bestCost = cost;
      }
    }
    return best;
  }

  /**
   * Writes everything: a bit for each context that is used, its distribution (a byte each), number of words, states,
   * words, number of bytes of the numbers without a symbol, and these.
   */
  finish(sink: ByteSink): void {
    const { flags, numbers, lanes } = this.shape;
    const contexts = flags + numbers;
    const used = new Uint8Array(Math.ceil(contexts / 8));
    const chosen: number[] = [];
    const distribution = new Uint8Array(contexts);
    for (let c = 0; c < contexts; c++) {
      if (!this.counts.subarray(c * SYMBOLS, (c + 1) * SYMBOLS).some((count) => count > 0)) continue;
      used[c >> 3] = (used[c >> 3] ?? 0) | (1 << (c & 7));
      distribution[c] = this.choose(c);
      chosen.push((distribution[c] ?? 0) % BANK_SIZE);
    }
    const larger = new BitSink();
    const symbols = new Uint16Array(this.values.length);
    for (let i = 0; i < symbols.length; i++) {
      const value = this.values[i] ?? 0;
      const context = this.contexts[i] ?? 0;
      const at = (distribution[context] ?? 0) * SYMBOLS;
      let symbol = context < flags ? value : symbolOf(value);
      if (context >= flags && (symbol === LARGER || FREQUENCY[at + symbol] === 0)) {
        symbol = LARGER;
        larger.signed(value);
      }
      symbols[i] = at + symbol;
    }
    const states = new Float64Array(lanes).fill(FIRST_STATE);
    const words = new Uint16Array(symbols.length + lanes);
    let first = words.length;
    // Backwards, since the states give back last what they took first.
    for (let i = symbols.length - 1; i >= 0; i--) {
      const lane = this.lanes[i] ?? 0;
      const frequency = FREQUENCY[symbols[i] ?? 0] ?? 1;
      let state = states[lane] ?? 0;
      if (state >= frequency * 2 ** (32 - PRECISION)) {
        words[--first] = state % 65536;
        state = Math.floor(state / 65536);
      }
      const quotient = Math.floor(state / frequency);
      states[lane] =
        quotient * 2 ** PRECISION + (START[symbols[i] ?? 0] ?? 0) + (state - quotient * frequency);
    }
    sink.run(used);
    sink.run(Uint8Array.from(chosen));
    sink.whole(words.length - first);
    for (const state of states)
      sink.run(Uint8Array.from([0, 8, 16, 24], (bits) => Math.floor(state / 2 ** bits) % 256));
    sink.run(
      Uint8Array.from(words.subarray(first)).length === 0
        ? new Uint8Array()
        : littleEndian(words.subarray(first)),
    );
    const rest = larger.finish();
    sink.whole(rest.byteLength);
    sink.run(rest);
  }
}

function littleEndian(words: Uint16Array): Uint8Array {
  const bytes = new Uint8Array(2 * words.length);
  words.forEach((word, i) => {
    bytes[2 * i] = word & 255;
    bytes[2 * i + 1] = word >> 8;
  });
  return bytes;
}

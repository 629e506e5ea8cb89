/** The state of a pickle being read: cursor, stack, marks, memo and budgets. */
import { SoftshardError, type ErrorCode } from '../errors.ts';
import { PickleTuple, kindOf, type PickleValue } from './pickle-value.ts';

export interface PickleLimits {
  /** Bytes of the pickle. */
  readonly bytes: number;
  /** Opcodes executed plus elements copied by constructors. */
  readonly work: number;
  /** Values on the stack, and open marks. */
  readonly depth: number;
  /** Entries of the memo. */
  readonly memo: number;
}

/** Far above what the largest model needs (yolov5x: 0.5 MB, 40,000 opcodes), far below what would hurt. */
export const PICKLE_LIMITS: PickleLimits = {
  bytes: 64 * 2 ** 20,
  work: 10_000_000,
  depth: 1_000_000,
  memo: 4_000_000,
};

export class PickleMachine {
  /** File and entry, for errors. */
  readonly where: string;
  /** Turns what a persistent id names into a value. */
  readonly persistentLoad: (id: PickleValue, machine: PickleMachine) => PickleValue;
  /** Offset of the opcode being executed. */
  opcodeAt = 0;
  /** Offset of the next byte. */
  at: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  readonly #limits: PickleLimits;
  readonly #stack: PickleValue[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #work = 0;

  constructor(
    bytes: Uint8Array,
    start: number,
    where: string,
    persistentLoad: PickleMachine['persistentLoad'],
    limits: PickleLimits,
  ) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = Math.min(bytes.byteLength, start + limits.bytes);
    this.#limits = limits;
    this.at = start;
    this.where = where;
    this.persistentLoad = persistentLoad;
  }

  /** An error at the opcode being executed. */
  failure(message: string, found?: string, code: ErrorCode = 'E_WEIGHTS_FORMAT'): SoftshardError {
    return new SoftshardError(code, {
      message,
      where: `${this.where}, byte ${this.opcodeAt}`,
      ...(found === undefined ? {} : { found }),
    });
  }

  /** Moves past `length` bytes and returns the offset of the first. */
  skip(length: number): number {
    if (length < 0 || length > this.#end - this.at) {
      throw this.failure('A pickle is truncated, or longer than is accepted.');
    }
    const start = this.at;
    this.at += length;
    return start;
  }

  take(length: number): Buffer {
    const start = this.skip(length);
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, length);
  }

  u8(): number {
    return this.#view.getUint8(this.skip(1));
  }
  u16(): number {
    return this.#view.getUint16(this.skip(2), true);
  }
  u32(): number {
    return this.#view.getUint32(this.skip(4), true);
  }
  i32(): number {
    return this.#view.getInt32(this.skip(4), true);
  }
  u64(): number {
    return Number(this.#view.getBigUint64(this.skip(8), true));
  }
  f64BigEndian(): number {
    return this.#view.getFloat64(this.skip(8), false);
  }

  /** The text up to the next newline, which is consumed. */
  line(): Buffer {
    const newline = this.#bytes.indexOf(10, this.at);
    if (newline < 0) throw this.failure('A pickle is truncated.');
    const text = this.take(newline - this.at);
    this.skip(1);
    return text;
  }

  /** Counts work done; throws when it exceeds what any real file needs. */
  charge(amount: number): void {
    this.#work += amount;
    if (this.#work > this.#limits.work) throw this.failure('A pickle asks for more work than is accepted.');
  }

  push(value: PickleValue): void {
    if (this.#stack.length >= this.#limits.depth) throw this.failure('A pickle fills the stack.');
    this.#stack.push(value);
  }

  #floor(): number {
    return this.#marks.at(-1) ?? 0;
  }

  pop(): PickleValue {
    const value = this.#stack.length > this.#floor() ? this.#stack.pop() : undefined;
    if (value === undefined) throw this.failure('A pickle takes a value from an empty stack.');
    return value;
  }

  top(): PickleValue {
    const value = this.#stack.length > this.#floor() ? this.#stack.at(-1) : undefined;
    if (value === undefined) throw this.failure('A pickle looks at an empty stack.');
    return value;
  }

  mark(): void {
    if (this.#marks.length >= this.#limits.depth) throw this.failure('A pickle nests too deeply.');
    this.#marks.push(this.#stack.length);
  }

  /** Whether nothing lies on the stack since the last mark. */
  get isAtMark(): boolean {
    return this.#stack.length === this.#floor();
  }

  /** Removes the last mark and returns what lay above it. */
  popMark(): PickleValue[] {
    const start = this.#marks.pop();
    if (start === undefined) throw this.failure('A pickle refers to a mark that it did not set.');
    return this.#stack.splice(start);
  }

  /** The values above the last mark as pairs. */
  popPairs(): [PickleValue, PickleValue][] {
    const items = this.popMark();
    const pairs: [PickleValue, PickleValue][] = [];
    for (let i = 0; i < items.length; i += 2) {
      const [key, value] = [items[i], items[i + 1]];
      if (key === undefined || value === undefined)
        throw this.failure('A pickle gives a key without a value.');
      pairs.push([key, value]);
    }
    return pairs;
  }

  popTuple(): PickleTuple {
    const value = this.pop();
    if (!(value instanceof PickleTuple)) throw this.failure('A pickle needs a tuple here.', kindOf(value));
    return value;
  }

  get memoSize(): number {
    return this.#memo.size;
  }

  remember(index: number): void {
    if (!Number.isSafeInteger(index) || index < 0) throw this.failure('A pickle uses a bad memo index.');
    this.#memo.set(index, this.top());
    if (this.#memo.size > this.#limits.memo) throw this.failure('A pickle remembers too many values.');
  }

  recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.failure('A pickle recalls a value that it did not store.');
    this.push(value);
  }
}

/** The opcodes of protocols 0 to 4 that data needs, each as what it does to the machine. */
import type { PickleMachine } from './pickle-machine.ts';
import { buildState, callGlobal, findGlobal, newObject } from './pickle-objects.ts';
import { PickleTuple, kindOf, type PickleValue } from './pickle-value.ts';

type Opcode = (machine: PickleMachine) => void;

const list = (machine: PickleMachine): PickleValue[] => {
  const value = machine.top();
  if (!Array.isArray(value)) throw machine.failure('A pickle appends to what is no list.', kindOf(value));
  return value;
};

const dict = (machine: PickleMachine): Map<PickleValue, PickleValue> => {
  const value = machine.top();
  if (!(value instanceof Map))
    throw machine.failure('A pickle sets an item of what is no dict.', kindOf(value));
  return value;
};

const integer = (machine: PickleMachine, value: bigint | undefined, text: string): PickleValue => {
  if (value === undefined) throw machine.failure('A pickle holds a malformed integer.', text);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
};

/** Digits at most in an integer: nothing that a weight file counts is longer. */
const MAX_DIGITS = 1024;

function decimal(machine: PickleMachine, text: string): PickleValue {
  const valid = text.length <= MAX_DIGITS && /^[+-]?\d+$/.test(text);
  return integer(machine, valid ? BigInt(text.replace('+', '')) : undefined, text.slice(0, 40));
}

/** Two's complement, little-endian. */
function longBytes(machine: PickleMachine, length: number): PickleValue {
  if (length < 0 || length > MAX_DIGITS) throw machine.failure('A pickle holds an integer that is too long.');
  const hex = Buffer.from(machine.take(length)).reverse().toString('hex');
  return integer(machine, hex === '' ? 0n : BigInt.asIntN(length * 8, BigInt(`0x${hex}`)), hex);
}

/** Python's raw-unicode-escape: latin-1 with \uXXXX and \UXXXXXXXX. */
const rawUnicode = (machine: PickleMachine, text: string): string =>
  text.replace(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g, (_, short?: string, long?: string) => {
    const code = parseInt(short ?? long ?? '', 16);
    if (code > 0x10ffff) throw machine.failure('A pickle holds a character that does not exist.');
    return String.fromCodePoint(code);
  });

function float(machine: PickleMachine, text: string): number {
  if (text.length > MAX_DIGITS || !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
    if (/^[+-]?(inf|nan)$/i.test(text)) {
      return /nan/i.test(text) ? NaN : text.startsWith('-') ? -Infinity : Infinity;
    }
    throw machine.failure('A pickle holds a malformed number.', text.slice(0, 40));
  }
  return Number(text);
}

const popTuple = (machine: PickleMachine, length: number): void => {
  const items = Array.from({ length }, () => machine.pop());
  machine.push(new PickleTuple(items.reverse()));
};

const text = (machine: PickleMachine, length: number): void =>
  machine.push(machine.take(length).toString('utf8'));
const latin1 = (machine: PickleMachine, length: number): void =>
  machine.push(machine.take(length).toString('latin1'));
const bytes = (machine: PickleMachine, length: number): void =>
  machine.push(new Uint8Array(machine.take(length)));
const textIndex = (machine: PickleMachine): number => {
  const line = machine.line().toString('latin1');
  return /^\d{1,9}$/.test(line) ? Number(line) : -1;
};

const at = (character: string): number => character.charCodeAt(0);

/** By opcode byte. STOP is the loop's own. What is absent here is refused. */
export const OPCODES: ReadonlyMap<number, Opcode> = new Map<number, Opcode>([
  [0x80, (m) => m.skip(1)], // PROTO
  [0x95, (m) => m.skip(8)], // FRAME: a hint for readers of streams
  [at('('), (m) => m.mark()],
  [at('0'), (m) => (m.isAtMark ? m.popMark() : m.pop())], // POP
  [at('1'), (m) => m.popMark()], // POP_MARK
  [at('2'), (m) => m.push(m.top())], // DUP

  [at('N'), (m) => m.push(null)],
  [0x88, (m) => m.push(true)],
  [0x89, (m) => m.push(false)],
  [at('J'), (m) => m.push(m.i32())], // BININT
  [at('K'), (m) => m.push(m.u8())], // BININT1
  [at('M'), (m) => m.push(m.u16())], // BININT2
  [0x8a, (m) => m.push(longBytes(m, m.u8()))], // LONG1
  [0x8b, (m) => m.push(longBytes(m, m.i32()))], // LONG4
  [
    at('I'),
    (m) => {
      const line = m.line().toString('latin1');
      m.push(line === '00' ? false : line === '01' ? true : decimal(m, line));
    },
  ],
  [at('L'), (m) => m.push(decimal(m, m.line().toString('latin1').replace(/L$/, '')))],
  [at('F'), (m) => m.push(float(m, m.line().toString('latin1')))],
  [at('G'), (m) => m.push(m.f64BigEndian())], // BINFLOAT

  [at('T'), (m) => latin1(m, m.i32())], // BINSTRING
  [at('U'), (m) => latin1(m, m.u8())], // SHORT_BINSTRING
  [at('V'), (m) => m.push(rawUnicode(m, m.line().toString('latin1')))], // UNICODE
  [at('X'), (m) => text(m, m.u32())], // BINUNICODE
  [0x8c, (m) => text(m, m.u8())], // SHORT_BINUNICODE
  [0x8d, (m) => text(m, m.u64())], // BINUNICODE8
  [at('B'), (m) => bytes(m, m.u32())], // BINBYTES
  [at('C'), (m) => bytes(m, m.u8())], // SHORT_BINBYTES
  [0x8e, (m) => bytes(m, m.u64())], // BINBYTES8

  [at(')'), (m) => m.push(new PickleTuple([]))],
  [at('t'), (m) => m.push(new PickleTuple(m.popMark()))],
  [0x85, (m) => popTuple(m, 1)],
  [0x86, (m) => popTuple(m, 2)],
  [0x87, (m) => popTuple(m, 3)],
  [at(']'), (m) => m.push([])],
  [at('l'), (m) => m.push(m.popMark())], // LIST
  [
    at('a'),
    (m) => {
      const value = m.pop();
      list(m).push(value);
    },
  ],
  [
    at('e'),
    (m) => {
      const values = m.popMark();
      const target = list(m);
      for (const value of values) target.push(value);
    },
  ],
  [at('}'), (m) => m.push(new Map())],
  [at('d'), (m) => m.push(new Map(m.popPairs()))], // DICT
  [
    at('s'),
    (m) => {
      const value = m.pop();
      const key = m.pop();
      dict(m).set(key, value);
    },
  ],
  [
    at('u'),
    (m) => {
      const pairs = m.popPairs();
      const target = dict(m);
      for (const [key, value] of pairs) target.set(key, value);
    },
  ],
  [0x8f, (m) => m.push(new Set())], // EMPTY_SET
  [
    0x90, // ADDITEMS
    (m) => {
      const values = m.popMark();
      const target = m.top();
      if (!(target instanceof Set)) throw m.failure('A pickle adds to what is no set.', kindOf(target));
      for (const value of values) target.add(value);
    },
  ],
  [0x91, (m) => m.push(new Set(m.popMark()))], // FROZENSET

  [at('p'), (m) => m.remember(textIndex(m))], // PUT
  [at('q'), (m) => m.remember(m.u8())], // BINPUT
  [at('r'), (m) => m.remember(m.u32())], // LONG_BINPUT
  [0x94, (m) => m.remember(m.memoSize)], // MEMOIZE
  [at('g'), (m) => m.recall(textIndex(m))], // GET
  [at('h'), (m) => m.recall(m.u8())], // BINGET
  [at('j'), (m) => m.recall(m.u32())], // LONG_BINGET

  [at('c'), (m) => m.push(findGlobal(m, m.line().toString('utf8'), m.line().toString('utf8')))],
  [
    0x93, // STACK_GLOBAL
    (m) => {
      const name = m.pop();
      m.push(findGlobal(m, m.pop(), name));
    },
  ],
  [at('R'), callGlobal],
  [0x81, (m) => newObject(m, m.popTuple())],
  [
    0x92, // NEWOBJ_EX: keyword arguments are dropped, as nothing is called
    (m) => {
      m.pop();
      newObject(m, m.popTuple());
    },
  ],
  [at('b'), buildState],
  [at('Q'), (m) => m.push(m.persistentLoad(m.pop(), m))], // BINPERSID
]);

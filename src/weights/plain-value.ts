/** Turns what a pickle holds into plain JSON-like data. */
import { SoftshardError } from '../errors.ts';
import { PickleTuple, kindOf, type PickleValue } from './pickle-value.ts';

export type PlainValue =
  null | boolean | number | string | readonly PlainValue[] | { readonly [key: string]: PlainValue };

const MAX_DEPTH = 64;
/** Values at most, each counted as often as it is reached: sharing cannot make a small file large. */
const MAX_VALUES = 1_000_000;

/**
 * Lists and tuples become arrays, dictionaries objects (number keys as text). Throws E_WEIGHTS_FORMAT on tensors,
 * on instances, and beyond 64 levels or a million values.
 */
export function plainValue(value: PickleValue, where: string): PlainValue {
  let left = MAX_VALUES;
  const refuse = (found: string): SoftshardError =>
    new SoftshardError('E_WEIGHTS_FORMAT', {
      message: 'A checkpoint holds something else where plain data belong.',
      where,
      found,
    });
  const visit = (item: PickleValue, depth: number): PlainValue => {
    if (depth > MAX_DEPTH || left-- <= 0) throw refuse('data that are nested too deeply or too large');
    if (item === null || typeof item === 'boolean' || typeof item === 'number' || typeof item === 'string') {
      return item;
    }
    if (typeof item === 'bigint') return Number(item);
    if (Array.isArray(item)) return item.map((part) => visit(part, depth + 1));
    if (item instanceof PickleTuple) return item.items.map((part) => visit(part, depth + 1));
    if (item instanceof Map) {
      const entries = [...item].map(([key, part]): [string, PlainValue] => {
        if (typeof key !== 'string' && typeof key !== 'number') throw refuse(`${kindOf(key)} as a key`);
        return [String(key), visit(part, depth + 1)];
      });
      return Object.fromEntries(entries);
    }
    throw refuse(kindOf(item));
  };
  return visit(value, 0);
}

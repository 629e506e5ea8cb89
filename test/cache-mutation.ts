/** Damage of every kind to a cache in memory, by keyed draws. */
import { integerBelow, type DrawKey } from '../src/random/keyed.ts';

export const MUTATIONS = [
  'bit',
  'byte',
  'cut',
  'longer',
  'byte lost',
  'byte more',
  'zeros',
  'block moved',
  'emptied',
  'deleted',
  'swapped',
  'copied',
] as const;

export type Mutation = (typeof MUTATIONS)[number];

const STRANGE = 7;

/** The bytes after a mutation of one file at `at`. */
function changed(kind: Mutation, bytes: Uint8Array, at: number, drawn: number): Uint8Array {
  const before = bytes.subarray(0, at);
  const length = 1 + (drawn % 64);
  switch (kind) {
    case 'bit':
      return bytes.map((byte, i) => (i === at ? byte ^ (1 << (drawn % 8)) : byte));
    case 'byte':
      return bytes.map((byte, i) => (i === at ? (byte + 1 + (drawn % 255)) % 256 : byte));
    case 'cut':
      return bytes.slice(0, at);
    case 'longer':
      return Buffer.concat([bytes, Buffer.alloc(length, 0xc0)]);
    case 'byte lost':
      return Buffer.concat([before, bytes.subarray(at + 1)]);
    case 'byte more':
      return Buffer.concat([before, Buffer.of(drawn % 256), bytes.subarray(at)]);
    case 'zeros':
      return bytes.map((byte, i) => (i >= at && i < at + length ? 0 : byte));
    case 'block moved':
      return Buffer.concat([bytes.subarray(at), before]);
    default:
      return new Uint8Array(0);
  }
}

/**
 * Damages `objects` in place: one of `names` (or two), drawn at the indices from `first` on. Returns what was done, or
 * undefined where the drawn change would change nothing.
 */
export function mutate(
  objects: Map<string, Uint8Array>,
  names: readonly string[],
  key: DrawKey,
  first = 0,
): { readonly kind: Mutation; readonly file: string; readonly at: number } | undefined {
  const draw = (index: number, n: number): number => integerBelow(key, first + index, n);
  const file = names[draw(0, names.length)] ?? '';
  const other = names[draw(1, names.length)] ?? '';
  const kind = MUTATIONS[draw(2, MUTATIONS.length)] ?? 'bit';
  const bytes = objects.get(file);
  const otherBytes = objects.get(other);
  if (bytes === undefined || otherBytes === undefined || bytes.byteLength === 0) return undefined;
  const at = draw(3, bytes.byteLength);
  if (kind === 'deleted') objects.delete(file);
  else if (kind === 'swapped' || kind === 'copied') {
    if (Buffer.compare(bytes, otherBytes) === 0) return undefined;
    objects.set(file, otherBytes);
    if (kind === 'swapped') objects.set(other, bytes);
  } else {
    const damaged = changed(kind, bytes, at, draw(4, 2 ** 31) * STRANGE);
    if (Buffer.compare(damaged, bytes) === 0) return undefined;
    objects.set(file, damaged);
  }
  return { kind, file, at };
}

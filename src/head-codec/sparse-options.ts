/** The parameters of the codec `sparse`. */
import { SoftshardError } from '../errors.ts';
import type { CodecParams } from '../cache/codec.ts';
import { UNIT } from './units.ts';

export interface SparseOptions {
  /** Rows of a head, at most, whose box and classes are stored. */
  readonly k: number;
  /** Error of the objectness logits, root mean square weighted by their squared sigmoids. */
  readonly objectness: number;
  /** Largest step of the objectness. */
  readonly coarsest: number;
  /**
   * Share of the weights (root of their squares' sums) that may lie below the floor of a head's map of objectness;
   * what does is stored as one value, which keeps the mean sigmoid.
   */
  readonly floor: number;
  /** Error of the class logits, root mean square weighted by squared sigmoid of objectness. */
  readonly classes: number;
  /** How much finer class logits are stored where sigmoid is steepest. */
  readonly peaks: number;
  /** Error of the box logits, as that of the classes. */
  readonly boxes: number;
  /**
   * How much finer box logits are stored where the sigmoid exceeds 0.01, and overlaps are learnt: their gradient jumps
   * where an edge of one box passes an edge of the other.
   */
  readonly overlaps: number;
}

/** Default, least and most of each, and whether it is whole. */
const RANGES: Readonly<Record<keyof SparseOptions, readonly [number, number, number]>> = {
  k: [2000, 0, 2 ** 24],
  objectness: [0.007, 1e-4, 8],
  coarsest: [1, 1 / UNIT, 8],
  floor: [0.004, 0, 1],
  classes: [0.05, 1e-4, 8],
  peaks: [12, 0, 64],
  boxes: [0.03, 1e-4, 8],
  overlaps: [64, 1, 4096],
};

const WHOLE: ReadonlySet<string> = new Set(['k', 'overlaps']);

const isName = (name: string): name is keyof SparseOptions => Object.hasOwn(RANGES, name);

/** `adaptive` is another word for the default. Throws E_CODEC for an unknown parameter or one out of range. */
export function sparseOptions(params: CodecParams): SparseOptions {
  const options: Record<keyof SparseOptions, number> = {
    k: 0,
    objectness: 0,
    coarsest: 0,
    floor: 0,
    classes: 0,
    peaks: 0,
    boxes: 0,
    overlaps: 0,
  };
  for (const name of Object.keys(RANGES).filter(isName)) options[name] = RANGES[name][0];
  for (const [name, text] of Object.entries(params)) {
    const fail = (expected: string): SoftshardError =>
      new SoftshardError('E_CODEC', {
        message: 'The codec sparse cannot be used with that parameter.',
        expected,
        found: `${name}=${text}`,
      });
    if (!isName(name)) throw fail(Object.keys(RANGES).join(', '));
    if (text === 'adaptive') continue;
    const [, least, most] = RANGES[name];
    const value = Number(text);
    const fits = value >= least && value <= most && (!WHOLE.has(name) || Number.isInteger(value));
    if (!fits) throw fail(`${name} from ${least} to ${most}`);
    options[name] = value;
  }
  return options;
}

/** The parameters as text, all of them. */
export const sparseParams = (options: SparseOptions): CodecParams =>
  Object.fromEntries(Object.entries(options).map(([name, value]) => [name, String(value)]));

/**
 * The distributions that the entropy coder chooses from. They are fixed, so that a stream says which one a context
 * uses with five bits: 32 discrete logistic ones for whole numbers, 32 for flags.
 *
 * Every table is made from the constants below by additions, multiplications and divisions of float64 in the order
 * written here, so that any language makes the same ones.
 */

/** Frequencies of a distribution sum up to 2^12. */
export const PRECISION = 12;
const TOTAL = 2 ** PRECISION;

/** Distributions of each sort. */
export const BANK_SIZE = 32;

/** Symbols of a distribution of whole numbers: 0, 1, -1, 2, -2, ... 31, -31 and, last, what says "larger". */
export const SYMBOLS = 64;
export const LARGER = SYMBOLS - 1;
const LARGEST = 31;

/** e^(-1/2s) of the logistic distributions, for scales s from 0.07 to 48 in equal ratios. */
const TAILS = [
  0.00079, 0.003077, 0.00925, 0.02255, 0.0464, 0.083225, 0.133571, 0.195918, 0.267166, 0.343443, 0.420895,
  0.496235, 0.567013, 0.631655, 0.689359, 0.739923, 0.783571, 0.820793, 0.852223, 0.878553, 0.900467,
  0.918612, 0.933571, 0.945862, 0.955933, 0.964166, 0.970884, 0.976358, 0.980813, 0.984436, 0.987379,
  0.989768,
] as const;

/** Frequency of a flag that is set, for log odds from -7 to 7 in equal steps. */
const SET_FLAGS = [
  4, 6, 9, 14, 23, 35, 55, 86, 134, 207, 315, 475, 699, 1001, 1380, 1818, 2278, 2716, 3095, 3397, 3621, 3781,
  3889, 3962, 4010, 4041, 4061, 4073, 4082, 4087, 4090, 4092,
] as const;

/** Probability of a value above k, k >= 0. */
const above = (tail: number, k: number): number => {
  let power = tail;
  for (let i = 0; i < k; i++) power = power * tail * tail;
  return power / (1 + power);
};

/** Frequencies of whole numbers by symbol; 0 for what the distribution has no symbol for. */
function logisticFrequencies(tail: number): number[] {
  const frequencies = new Array<number>(SYMBOLS).fill(0);
  let rest = TOTAL;
  let largest = 0;
  for (let k = 1; k <= LARGEST; k++) {
    const frequency = Math.floor((above(tail, k - 1) - above(tail, k)) * TOTAL + 0.5);
    if (frequency < 1) break;
    frequencies[2 * k - 1] = frequency;
    frequencies[2 * k] = frequency;
    rest -= 2 * frequency;
    largest = k;
  }
  const larger = Math.max(1, Math.floor(2 * above(tail, largest) * TOTAL + 0.5));
  frequencies[LARGER] = larger;
  frequencies[0] = rest - larger;
  return frequencies;
}

const flagFrequencies = (set: number): number[] => [TOTAL - set, set];

/** Distributions 0 to 31 are of whole numbers, 32 to 63 of flags. */
const DISTRIBUTIONS = [...TAILS.map(logisticFrequencies), ...SET_FLAGS.map(flagFrequencies)];

/** Frequency of symbol s in distribution d, at d * 64 + s. */
export const FREQUENCY = new Uint16Array(DISTRIBUTIONS.length * SYMBOLS);
/** Sum of the frequencies of the symbols before it. */
export const START = new Uint16Array(DISTRIBUTIONS.length * SYMBOLS);
/** The symbol whose range holds slot x of distribution d, at d * 4096 + x. */
export const SYMBOL_AT = new Uint8Array(DISTRIBUTIONS.length * TOTAL);
/** Code length of a symbol in 1/256 bit; that of a symbol without a frequency is larger than any other. */
export const COST = new Uint16Array(DISTRIBUTIONS.length * SYMBOLS).fill(0xffff);

DISTRIBUTIONS.forEach((frequencies, d) => {
  let start = 0;
  frequencies.forEach((frequency, s) => {
    FREQUENCY[d * SYMBOLS + s] = frequency;
    START[d * SYMBOLS + s] = start;
    SYMBOL_AT.fill(s, d * TOTAL + start, d * TOTAL + start + frequency);
    if (frequency > 0) COST[d * SYMBOLS + s] = Math.round(-256 * Math.log2(frequency / TOTAL));
    start += frequency;
  });
});

/** The symbol of a whole number: `LARGER` above 31 in magnitude. */
export const symbolOf = (value: number): number =>
  value > LARGEST || value < -LARGEST ? LARGER : value > 0 ? 2 * value - 1 : -2 * value;

/** The whole number of a symbol below `LARGER`. */
export const valueOf = (symbol: number): number =>
  (symbol & 1) === 1 ? (symbol + 1) >> 1 : 0 - (symbol >> 1);

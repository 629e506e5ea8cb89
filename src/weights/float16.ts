/** IEEE 754 binary16 (half) bits to and from float32, rounding half to even. */
import { SoftshardError } from '../errors.ts';

const SIGN = 0x8000;
const INFINITY_BITS = 0x7c00;
const QUIET_NAN_BITS = 0x7e00;

/** Rounds the bits of a float32 to those of a float16; overflow gives the bits of an infinity. */
function roundBits(bits: number): number {
  const sign = (bits >>> 16) & SIGN;
  const magnitude = bits & 0x7fffffff;
  if (magnitude >= 0x47800000) {
    // 65536 and above, infinities, NaN
    return sign | (magnitude > 0x7f800000 ? QUIET_NAN_BITS : INFINITY_BITS);
  }
  if (magnitude >= 0x38800000) {
    // Normal, 2^-14 and above: re-bias the exponent by 127 - 15, round 13 bits away; a carry may reach infinity.
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  }
  if (magnitude <= 0x33000000) return sign; // 2^-25 and below: a tie or less, to zero
  // Subnormal, in units of 2^-24: the 24-bit significand shifted right by 126 minus the exponent field.
  const shift = 126 - (magnitude >>> 23);
  const significand = (magnitude & 0x7fffff) | 0x800000;
  const quotient = significand >>> shift;
  const rest = significand & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (rest > half || (rest === half && (quotient & 1) === 1) ? quotient + 1 : quotient);
}

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/**
 * The float16 bits nearest to a float64 `value`, ties to even; infinity's bits on overflow (|value| >= 65520).
 * A single rounding: the detour over float32 rounds to odd.
 */
export function float16Bits(value: number): number {
  scratch[0] = value;
  let bits = scratchBits[0] ?? 0;
  const single = scratch[0];
  if (single !== value && !Number.isNaN(value)) {
    if (Math.abs(single) > Math.abs(value)) bits -= 1;
    bits |= 1;
  }
  return roundBits(bits);
}

/** float32 bits of every float16, by its bits. */
const FLOAT32_BITS = Uint32Array.from({ length: 65536 }, (_, half) => {
  const sign = (half & SIGN) * 65536;
  const exponent = (half >>> 10) & 31;
  const mantissa = half & 0x3ff;
  if (exponent === 31) return sign + 0x7f800000 + mantissa * 8192;
  if (exponent > 0) return sign + (exponent + 112) * 0x800000 + mantissa * 8192;
  scratch[0] = mantissa * 2 ** -24;
  return sign + (scratchBits[0] ?? 0);
});

const bitsOf = (data: Float32Array): Uint32Array =>
  new Uint32Array(data.buffer, data.byteOffset, data.length);

/** Throws E_INTERNAL unless both lengths are equal. */
export const sameLength = (src: ArrayLike<number>, dst: ArrayLike<number>): void => {
  if (src.length !== dst.length) {
    throw new SoftshardError('E_INTERNAL', {
      message: 'Source and destination of a conversion differ in length.',
      expected: String(src.length),
      found: String(dst.length),
    });
  }
};

/**
 * Encodes float32 values as float16 bits, ties to even. Returns how many results are not finite: overflows,
 * infinities and NaN (0 means that every value was representable up to rounding). Lengths must be equal.
 */
export function encodeFloat16(src: Float32Array, dst: Uint16Array): number {
  sameLength(src, dst);
  const bits = bitsOf(src);
  let nonFinite = 0;
  for (let i = 0; i < bits.length; i++) {
    const half = roundBits(bits[i] ?? 0);
    if ((half & INFINITY_BITS) === INFINITY_BITS) nonFinite++;
    dst[i] = half;
  }
  return nonFinite;
}

/** Decodes float16 bits to float32, exactly. Lengths must be equal. */
export function decodeFloat16(src: Uint16Array, dst: Float32Array): void {
  sameLength(src, dst);
  const bits = bitsOf(dst);
  for (let i = 0; i < src.length; i++) bits[i] = FLOAT32_BITS[src[i] ?? 0] ?? 0;
}

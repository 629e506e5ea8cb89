/** bfloat16 bits: the upper half of a float32's. */
import { sameLength } from './float16.ts';

/** Decodes bfloat16 bits to float32, exactly. Lengths must be equal. */
export function decodeBFloat16(src: Uint16Array, dst: Float32Array): void {
  sameLength(src, dst);
  const bits = new Uint32Array(dst.buffer, dst.byteOffset, dst.length);
  for (let i = 0; i < src.length; i++) bits[i] = (src[i] ?? 0) << 16;
}

/** Encodes float32 values as bfloat16 bits, ties to even; NaN stays NaN. Lengths must be equal. */
export function encodeBFloat16(src: Float32Array, dst: Uint16Array): void {
  sameLength(src, dst);
  const bits = new Uint32Array(src.buffer, src.byteOffset, src.length);
  for (let i = 0; i < bits.length; i++) {
    const x = bits[i] ?? 0;
    const isNaN = (x & 0x7fffffff) > 0x7f800000;
    dst[i] = isNaN ? (x >>> 16) | 0x40 : (x + 0x7fff + ((x >>> 16) & 1)) >>> 16;
  }
}

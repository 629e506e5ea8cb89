/** JPEG files that lack their end marker (FF D9) and nothing else. */

const END = Uint8Array.of(0xff, 0xd9);
/** Bytes put where the missing picture data would have been; any that are no marker do. */
const FILLER = new Uint8Array(4096).fill(0xa5);

const concatenate = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/**
 * For a JPEG that does not end with its end marker: two completions, with nothing and with filler before the marker.
 * If and only if all picture data is there, both decode to the same pixels, as decoding never reaches the filler.
 * `undefined` for everything else.
 */
export function completeJpeg(
  bytes: Uint8Array,
): { readonly plain: Uint8Array; readonly filled: Uint8Array } | undefined {
  const n = bytes.length;
  if (n < 4 || bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  if (bytes[n - 2] === 0xff && bytes[n - 1] === 0xd9) return undefined;
  return { plain: concatenate(bytes, END), filled: concatenate(bytes, FILLER, END) };
}

/** Purposes keep draws apart: the same sample, view and index give independent values for different purposes. */

const known = new Map<string, number>();

/**
 * The 32-bit constant of a purpose: FNV-1a over the UTF-8 bytes of its name (offset basis 0x811c9dc5, prime
 * 0x01000193). A test holds the purposes in use to distinct constants.
 */
export function purposeConstant(purpose: string): number {
  const found = known.get(purpose);
  if (found !== undefined) return found;
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(purpose)) {
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  known.set(purpose, hash >>> 0);
  return hash >>> 0;
}

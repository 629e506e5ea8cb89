/** The order of samples: that of the bytes of their UTF-8 paths, the same on every machine and in every locale. */

/** Compares by code points, which for valid strings is the order of their UTF-8 bytes. */
export function compareBytes(a: string, b: string): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // UTF-16 puts surrogates (code points above 0xffff) below 0xe000...0xffff; UTF-8 puts them above.
    const lift = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);
    return lift(x) - lift(y);
  }
  return a.length - b.length;
}

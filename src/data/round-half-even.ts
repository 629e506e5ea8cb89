/** Rounding to the nearest integer, ties to the even one: IEEE 754's default, Python's `round`, C's `rint`. */
export function roundHalfEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  if (rest < 0.5) return low;
  if (rest > 0.5) return low + 1;
  return low % 2 === 0 ? low : low + 1;
}

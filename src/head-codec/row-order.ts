/** The order in which rows are stored and predicted: those that count most first. */

/** Rows with a code above 0, the largest code first, equal ones by row. */
export function rowOrder(codes: Int32Array): Uint32Array {
  let count = 0;
  let top = 0;
  for (const code of codes) {
    if (code > 0) count += 1;
    if (code > top) top = code;
  }
  const keys = new Float64Array(count);
  for (let row = 0, at = 0; row < codes.length; row++) {
    const code = codes[row] ?? 0;
    if (code > 0) keys[at++] = (top - code) * codes.length + row;
  }
  return Uint32Array.from(keys.sort(), (key) => key % codes.length);
}

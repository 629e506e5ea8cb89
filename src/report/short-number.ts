/** A number for the eye: four significant digits; whole ones in full up to seven digits. */
export const shortNumber = (value: number): string => {
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return String(value);
  const size = Math.abs(value);
  return size < 1e-3 || size >= 1e7
    ? value.toExponential(2).replace('e+', 'e')
    : String(Number(value.toPrecision(4)));
};

/** A table as lines of text: the first column begins, the others end, at one place; three spaces between. */
export function alignedTable(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, c) =>
    Math.max(...rows.map((row) => row[c]?.length ?? 0)),
  );
  return rows
    .map((row) =>
      widths
        .map((width, c) => (row[c] ?? '')[c === 0 ? 'padEnd' : 'padStart'](width))
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}

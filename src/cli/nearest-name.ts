/** Finds what somebody who mistyped a name may have meant. */

/** Levenshtein's distance: insertions, deletions and replacements between two words. */
export const editDistance = (a: string, b: string): number => {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++)
      row.push(
        Math.min(
          (row[j - 1] ?? 0) + 1,
          (previous[j] ?? 0) + 1,
          (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
        ),
      );
    previous = row;
  }
  return previous[b.length] ?? 0;
};

/** The known name closest to `name`, or undefined when none is close (a third of its letters, at least two). */
export const nearestName = (name: string, known: readonly string[]): string | undefined => {
  const limit = Math.max(2, Math.floor(name.length / 3));
  return known
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .filter(({ distance, candidate }) => distance <= limit || candidate.startsWith(name))
    .sort((a, b) => a.distance - b.distance)[0]?.candidate;
};

/** Finds what somebody who mistyped a name may have meant. */

/** Edits (insertions, deletions, substitutions of one character) between two strings (Levenshtein 1966). */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (const [i, x] of Array.from(a).entries()) {
    const next = [i + 1];
    for (const [j, y] of Array.from(b).entries()) {
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (x === y ? 0 : 1)));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/**
 * The known name with the fewest edits from `name`, case apart (the first of equals). Undefined when none is close:
 * within a third of its letters, at least two, or begun by it.
 */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  const typed = name.toLowerCase();
  const limit = Math.max(2, Math.floor(typed.length / 3));
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of known) {
    const distance = editDistance(typed, candidate.toLowerCase());
    const isClose = distance <= limit || candidate.toLowerCase().startsWith(typed);
    if (isClose && distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

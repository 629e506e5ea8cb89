/** Class names in the metadata that exporters write into a graph. */

const ENTRY = /(\d+)\s*:\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")/g;

/** Reads `{0: 'person', 1: 'bicycle'}`, as Python prints it; undefined where the indices are not 0, 1, 2, ... */
export function classNamesIn(text: string): string[] | undefined {
  const names: string[] = [];
  for (const [, index, single, double] of text.matchAll(ENTRY)) {
    if (Number(index) !== names.length) return undefined;
    names.push((single ?? double ?? '').replace(/\\(.)/g, '$1'));
  }
  return names.length > 0 ? names : undefined;
}

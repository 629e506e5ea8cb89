/** A small check that markup is well formed: tags nest, attributes are quoted, nothing stray. */

const VOID = new Set(['meta', 'img', 'br']);

/** The first fault found in `html`, or undefined. */
export function markupFault(html: string): string | undefined {
  const open: string[] = [];
  const body = html.replace(/<style>[^<]*<\/style>/g, '').replace(/^<!DOCTYPE html>/, '');
  const rest = body.replace(
    /<(\/?)([a-zA-Z][a-zA-Z0-9]*)((?:\s+[a-zA-Z:-]+="[^"<]*")*)\s*(\/?)>/g,
    (_, closing: string, name: string, _attributes: string, empty: string) => {
      if (closing === '/') {
        const last = open.pop();
        if (last !== name) open.push(`</${name}> after <${String(last)}>`, '');
      } else if (empty === '' && !VOID.has(name)) open.push(name);
      return '';
    },
  );
  if (open.length > 0) return `not closed or crossed: ${open.join(' ')}`;
  const stray = /[<>]|&(?!(?:amp|lt|gt|quot|#39);)/.exec(rest);
  return stray === null ? undefined : `stray ${stray[0]} near ${rest.slice(stray.index, stray.index + 40)}`;
}

// A reporter for node's test runner that prints, at the end, which tests were skipped and why. It is JavaScript
// because the runner loads reporters without the TypeScript loader.

/** @param {AsyncIterable<import('node:test').TestEvent>} events */
export default async function* skipReporter(events) {
  const skipped = new Map();
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.skip === undefined || data.skip === false) continue;
    const reason = typeof data.skip === 'string' && data.skip !== '' ? data.skip : 'no reason given';
    skipped.set(reason, [...(skipped.get(reason) ?? []), data.name]);
  }
  for (const [reason, names] of skipped) {
    const shown = names.slice(0, 5).join('; ');
    yield `skipped ${names.length}: ${reason} (${shown}${names.length > 5 ? '; ...' : ''})\n`;
  }
}

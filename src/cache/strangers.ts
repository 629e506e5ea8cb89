/** What lies in a cache and is none of its files. */
import { unitContent, type Extent } from './extent.ts';
import { EXTENSIONS_PREFIX, INDEX_NAME, MANIFEST_NAME, SEAL_NAME, unitName } from './formats.ts';
import { shardName } from './part.ts';

/** Those of `names` that neither a cache has once nor one of `units` or an extension has, in their order. */
export function strangersAmong(
  names: readonly string[],
  units: readonly number[],
  extent: Extent,
): readonly string[] {
  const strange = new Set(names.filter((name) => !name.startsWith(EXTENSIONS_PREFIX)));
  for (const name of [MANIFEST_NAME, INDEX_NAME, SEAL_NAME]) strange.delete(name);
  for (const unit of units) {
    strange.delete(unitName(unit));
    const { view } = unitContent(extent, unit);
    for (const { kind, codec } of extent.answers) strange.delete(shardName({ view, kind, codec }, unit));
  }
  return [...strange];
}

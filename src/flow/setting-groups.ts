/** The single settings of `--set`, by group: `hyp.lr0=0.01` is `lr0` of the group `hyp`. */
import { SoftshardError } from '../errors.ts';
import { isRecord } from '../text/plain-record.ts';

/** The settings of each group; empty where there are none. Throws E_USAGE on a group that is not among them. */
export function settingGroups<Group extends string>(
  set: Readonly<Record<string, unknown>>,
  groups: readonly Group[],
  expected: string,
): Readonly<Record<Group, Readonly<Record<string, unknown>>>> {
  for (const key of Object.keys(set)) {
    if (groups.some((group) => group === key)) continue;
    throw new SoftshardError('E_USAGE', {
      message: `--set knows no group ${key} here.`,
      expected,
      found: key,
    });
  }
  const settings = groups.map((group) => {
    const value = set[group];
    return [group, isRecord(value) ? value : {}] as const;
  });
  return Object.fromEntries(settings) as Record<Group, Readonly<Record<string, unknown>>>;
}

/** The single settings of `train --set`. */
import { SoftshardError } from '../errors.ts';

export type RunSettings = Readonly<Record<'hyp' | 'distill', Readonly<Record<string, unknown>>>>;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The groups of `--set`: `hyp.*` and `distill.*`. Throws E_USAGE on another one. */
export function runSettings(set: Readonly<Record<string, unknown>>): RunSettings {
  for (const key of Object.keys(set)) {
    if (key === 'hyp' || key === 'distill') continue;
    throw new SoftshardError('E_USAGE', {
      message: `--set knows no group ${key}.`,
      expected: 'hyp.KEY=VALUE or distill.KEY=VALUE',
      found: key,
    });
  }
  const group = (name: 'hyp' | 'distill'): Record<string, unknown> => {
    const value = set[name];
    return isRecord(value) ? value : {};
  };
  return { hyp: group('hyp'), distill: group('distill') };
}

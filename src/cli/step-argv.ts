/** Writes a step's options as the words of its command line. */
import { kebab } from './option-spec.ts';
import { settingTexts } from './set-value.ts';

type Value =
  string | number | boolean | undefined | readonly (string | number)[] | Readonly<Record<string, unknown>>;

const isList = (value: Value): value is readonly (string | number)[] => Array.isArray(value);

const flag = (name: string, text: string): readonly string[] =>
  text.startsWith('-') ? [`--${name}=${text}`] : [`--${name}`, text];

/** `{batchSize: 8, val: false, set: {hyp: {lr0: 1}}}` to `--batch-size 8 --no-val --set hyp.lr0=1`. */
export const stepArgv = (options: Readonly<Record<string, Value>>): readonly string[] =>
  Object.entries(options).flatMap(([key, value]) => {
    const name = kebab(key);
    if (value === undefined || (isList(value) && value.length === 0)) return [];
    if (typeof value === 'boolean') return [value ? `--${name}` : `--no-${name}`];
    if (isList(value)) return flag(name, value.join(','));
    if (typeof value === 'object') return settingTexts(value).flatMap((text) => flag(name, text));
    return flag(name, String(value));
  });

/** `--set a.b=c`: one value of a nested object. */
import { SoftshardError } from '../errors.ts';

type Nested = Record<string, unknown>;

const isNested = (value: unknown): value is Nested =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const usage = (flag: string, found: string, message: string): SoftshardError =>
  new SoftshardError('E_USAGE', { message, where: flag, expected: 'KEY=VALUE, KEY like a.b', found });

/** Numbers, true, false, null, quoted strings, lists and objects as in JSON; anything else is text. */
const parseValue = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
};

/**
 * Adds `a.b=c` to `target`, making the objects on the way.
 *
 * @throws E_USAGE without `=`, with an empty or forbidden key, or where a key is both a value and an object.
 */
export const addSetting = (target: Nested, text: string, flag = '--set'): void => {
  const at = text.indexOf('=');
  const keys = text.slice(0, at).split('.');
  if (at < 1 || keys.some((key) => key === ''))
    throw usage(flag, text, 'A setting must have a key and a value.');
  if (keys.some((key) => ['__proto__', 'constructor', 'prototype'].includes(key)))
    throw usage(flag, text, 'A setting has a forbidden key.');
  const last = keys.pop() ?? '';
  let place = target;
  for (const key of keys) {
    const next = (place[key] ??= {});
    if (!isNested(next)) throw usage(flag, text, `The setting ${key} is already a value.`);
    place = next;
  }
  if (isNested(place[last])) throw usage(flag, text, `The setting ${last} already has settings below it.`);
  place[last] = parseValue(text.slice(at + 1));
};

const valueText = (value: unknown): string => {
  if (typeof value !== 'string') return JSON.stringify(value);
  return typeof parseValue(value) === 'string' && !value.startsWith('"') ? value : JSON.stringify(value);
};

/** The `a.b=c` texts that `addSetting` turns into `value` again. */
export const settingTexts = (value: Readonly<Nested>, path = ''): readonly string[] =>
  Object.entries(value).flatMap(([key, item]) =>
    isNested(item) && Object.keys(item).length > 0
      ? settingTexts(item, `${path}${key}.`)
      : [`${path}${key}=${valueText(item)}`],
  );

/** Turns arguments into raw values by the options' specs; the schema validates them afterwards. */
import { SoftshardError } from '../errors.ts';
import { nearestName } from '../text/nearest-name.ts';
import { kebab, type OptionSpec } from './option-spec.ts';
import { addSetting } from './set-value.ts';

/** Raw values by key, and whether help was asked for. */
export interface ParsedArgv {
  readonly values: Readonly<Record<string, unknown>>;
  readonly help: boolean;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

const usage = (message: string, where: string, expected?: string, found?: string): SoftshardError =>
  new SoftshardError('E_USAGE', {
    message,
    where,
    ...(expected === undefined || expected === '' ? {} : { expected }),
    ...(found === undefined ? {} : { found }),
    remedy: 'See --help.',
  });

const convert = (text: string, kind: 'number' | 'string' | 'scalar', spec: OptionSpec): number | string => {
  if (kind === 'string') return text;
  if (NUMBER.test(text)) return Number(text);
  if (kind === 'scalar') return text;
  throw usage('An option needs a number.', `--${spec.name}`, spec.expected, `"${text}"`);
};

const unknown = (given: string, specs: readonly OptionSpec[]): SoftshardError => {
  const near = nearestName(
    kebab(given),
    specs.flatMap((spec) => [spec.name, ...spec.aliases.filter((alias) => alias.length > 1)]),
  );
  return new SoftshardError('E_USAGE', {
    message: 'There is no such option.',
    found: `--${given}`,
    remedy: near === undefined ? 'See --help.' : `Did you mean --${near}? See --help.`,
  });
};

const booleanOf = (text: string, spec: OptionSpec): boolean => {
  if (['true', '1', 'yes', 'on'].includes(text)) return true;
  if (['false', '0', 'no', 'off'].includes(text)) return false;
  throw usage('A switch is on or off.', `--${spec.name}`, 'true or false', `"${text}"`);
};

/** Adds one written value to what was given before. The last one of a single value counts. */
const assign = (values: Record<string, unknown>, spec: OptionSpec, text: string): void => {
  if (spec.kind === 'boolean') values[spec.key] = booleanOf(text, spec);
  else if (spec.kind === 'map')
    addSetting((values[spec.key] ??= {}) as Record<string, unknown>, text, `--${spec.name}`);
  else if (spec.kind === 'list') {
    const list = (values[spec.key] ??= []) as unknown[];
    const parts = spec.splitsCommas ? text.split(',').filter((part) => part !== '') : [text];
    list.push(...parts.map((part) => convert(part, spec.itemKind, spec)));
  } else values[spec.key] = convert(text, spec.kind, spec);
};

interface Flag {
  readonly spec: OptionSpec;
  readonly isNegated: boolean;
}

const findFlag = (given: string, specs: readonly OptionSpec[]): Flag | undefined => {
  const name = given.length === 1 ? given : kebab(given);
  const named = (wanted: string): OptionSpec | undefined =>
    specs.find((spec) => spec.name === wanted || spec.aliases.includes(wanted));
  const spec = named(name);
  if (spec !== undefined) return { spec, isNegated: false };
  const positive = name.startsWith('no-') ? named(name.slice(3)) : undefined;
  return positive?.kind === 'boolean' ? { spec: positive, isNegated: true } : undefined;
};

/**
 * Parses `argv` (without node and script). `--name value`, `--name=value`, `--no-switch`, `-x value`; `_` counts as
 * `-` in names; after `--` everything is positional. A value may begin with one dash; one that begins with two must
 * be written with `=`.
 *
 * @throws E_USAGE for an unknown option (naming the nearest), a missing value, a wrong number, an argument too many.
 */
export const parseArgv = (specs: readonly OptionSpec[], argv: readonly string[]): ParsedArgv => {
  const values: Record<string, unknown> = {};
  const positionals = specs.filter((spec) => spec.isPositional);
  let help = false;
  let literal = false;
  const rest = [...argv];
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    if (argument === '--' && !literal) {
      literal = true;
      continue;
    }
    const match = literal ? null : /^(?:--([^=]+)|-([a-zA-Z]))(?:=([^]*))?$/.exec(argument);
    if (match === null) {
      const [spec] = positionals;
      if (spec === undefined)
        throw usage('There is an argument too many.', 'command line', undefined, argument);
      assign(values, spec, argument);
      if (spec.kind !== 'list') positionals.shift();
      continue;
    }
    const given = match[1] ?? match[2] ?? '';
    const flag = findFlag(given, specs);
    if (flag === undefined) {
      if (given === 'help' || given === 'h') {
        help = true;
        continue;
      }
      throw unknown(given, specs);
    }
    const { spec, isNegated } = flag;
    let text = match[3];
    if (spec.kind === 'boolean') {
      values[spec.key] = (text === undefined || booleanOf(text, spec)) !== isNegated;
      continue;
    }
    text ??= rest[0]?.startsWith('--') === true ? undefined : rest.shift();
    if (text === undefined) throw usage('An option has no value.', `--${spec.name}`, spec.expected);
    assign(values, spec, text);
  }
  return { values, help };
};

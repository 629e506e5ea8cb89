/** Writes options as arguments again: what a runner passes to a step, and what it prints for a person to repeat. */
import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import { optionSpecs, type OptionSpec } from './option-spec.ts';
import { settingTexts } from './set-value.ts';

const flag = (name: string, text: string): readonly string[] =>
  text.startsWith('--') ? [`--${name}=${text}`] : [`--${name}`, text];

const words = (spec: OptionSpec, value: unknown): readonly string[] => {
  if (value === undefined || value === null || isDeepStrictEqual(value, spec.default)) return [];
  const { name } = spec;
  if (spec.kind === 'boolean')
    return value === true ? [`--${name}`] : spec.default === true ? [`--no-${name}`] : [];
  if (spec.kind === 'map')
    return settingTexts(value as Record<string, unknown>).flatMap((text) => flag(name, text));
  if (!Array.isArray(value)) return flag(name, typeof value === 'string' ? value : JSON.stringify(value));
  const items = value.map(String);
  return spec.splitsCommas ? flag(name, items.join(',')) : items.flatMap((item) => flag(name, item));
};

/**
 * The arguments from which `parseOptions` reads `values` again: what equals its default is left out, positional
 * arguments come last. `values` are the schema's inputs.
 */
export const argvOf = <S extends z.ZodType>(schema: S, values: z.input<S>): readonly string[] => {
  const specs = optionSpecs(schema);
  const given = new Map(Object.entries(values as Record<string, unknown>));
  const positionals = specs
    .filter((spec) => spec.isPositional)
    .flatMap((spec) => given.get(spec.key) ?? [])
    .map(String);
  const options = specs
    .filter((spec) => !spec.isPositional)
    .flatMap((spec) => words(spec, given.get(spec.key)));
  const guard = positionals.some((text) => text.startsWith('-')) ? ['--'] : [];
  return [...options, ...guard, ...positionals];
};

/** One word as a POSIX shell reads it. */
export const shellQuote = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** A command line to copy: `softshard teach --weights 'my teacher.pt'`. */
export const commandLine = (name: string, argv: readonly string[]): string =>
  ['softshard', name, ...argv].map(shellQuote).join(' ');

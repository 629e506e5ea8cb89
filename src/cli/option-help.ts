/** The text that `--help` prints, made from the options' specs. */
import type { OptionSpec } from './option-spec.ts';

/** Wraps words at `width`, the lines after the first indented. */
export const wrap = (text: string, width: number, indent: string): string => {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join(`\n${indent}`);
};

const isOn = (spec: OptionSpec): boolean => spec.kind === 'boolean' && spec.default === true;

const flagText = (spec: OptionSpec): string => {
  if (spec.isPositional) return spec.placeholder;
  const short = spec.aliases.filter((alias) => alias.length === 1).map((alias) => `-${alias}, `);
  const long = isOn(spec) ? `--no-${spec.name}` : `--${spec.name}`;
  return `${short.join('')}${long}${spec.kind === 'boolean' ? '' : ` ${spec.placeholder}`}`;
};

const defaultText = (spec: OptionSpec): string => {
  const value = spec.default;
  if (spec.isRequired) return 'required';
  if (value === undefined || value === null || value === '') return '';
  if (spec.kind === 'boolean') return isOn(spec) ? 'default: on' : '';
  if (Array.isArray(value)) return value.length === 0 ? '' : `default: ${value.join(',')}`;
  if (typeof value === 'object') return '';
  return `default: ${typeof value === 'string' ? value : JSON.stringify(value)}`;
};

const describe = (spec: OptionSpec): string => {
  const names = spec.aliases.filter((alias) => alias.length > 1).map((alias) => `--${alias}`);
  const isShown = spec.placeholder.includes('|') && spec.expected.startsWith('one of');
  const extra = [
    isShown ? '' : spec.expected,
    defaultText(spec),
    names.length === 0 ? '' : `also ${names.join(', ')}`,
  ];
  const text = extra.filter((part) => part !== '').join('; ');
  return text === '' ? spec.description : `${spec.description} (${text})`;
};

/** What a help text is about. */
export interface HelpSubject {
  /** As it is typed (`softshard teach`). */
  readonly command: string;
  /** One sentence. */
  readonly summary: string;
  readonly specs: readonly OptionSpec[];
  /** Options that every command has, listed apart. */
  readonly commonSpecs?: readonly OptionSpec[];
}

const COLUMN = 30;
const WIDTH = 100;

const rows = (specs: readonly OptionSpec[]): string =>
  specs
    .filter((spec) => !spec.isHidden)
    .map((spec) => {
      const indent = ' '.repeat(COLUMN);
      const flag = `  ${flagText(spec)}`;
      const text = wrap(describe(spec), WIDTH - COLUMN, indent);
      return flag.length < COLUMN - 1 ? flag.padEnd(COLUMN) + text : `${flag}\n${indent}${text}`;
    })
    .join('\n');

/** The help of one command: summary, usage, arguments and options with their ranges and defaults. */
export const helpText = ({ command, summary, specs, commonSpecs = [] }: HelpSubject): string => {
  const positionals = specs.filter((spec) => spec.isPositional);
  const options = specs.filter((spec) => !spec.isPositional);
  const usage = [
    command,
    ...positionals.map((spec) => {
      const text = spec.kind === 'list' ? `${spec.placeholder}...` : spec.placeholder;
      return spec.isRequired ? text : `[${text}]`;
    }),
    ...options.filter((spec) => spec.isRequired).map(flagText),
    '[options]',
  ].join(' ');
  const sections = [`${command}: ${wrap(summary, WIDTH, '')}`, `Usage: ${wrap(usage, WIDTH, '       ')}`];
  if (positionals.length > 0) sections.push(`Arguments\n${rows(positionals)}`);
  if (options.length > 0) sections.push(`Options\n${rows(options)}`);
  if (commonSpecs.length > 0) sections.push(`Common options\n${rows(commonSpecs)}`);
  return `${sections.join('\n\n')}\n`;
};

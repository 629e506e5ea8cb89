/** Reads from a command's zod schema what its options look like on a command line. */
import { z } from 'zod';

/** What `.meta({...})` of an option may say besides `description`. */
export interface OptionMeta {
  /** Unit of the value, for the help (`pixels`, `MB`). */
  readonly unit?: string;
  /** Name of the value in the help (`FILE`); by default from the type. */
  readonly placeholder?: string;
  /** Other spellings, without dashes (`t-weights`); a single letter is a short option. */
  readonly aliases?: readonly string[];
  /** Taken from the arguments without a flag, in the order of declaration; a list takes all that are left. */
  readonly positional?: boolean;
  /** For a list: one value each time the flag is given, commas are literal (paths). */
  readonly repeat?: boolean;
  /** Not shown in the help. */
  readonly hidden?: boolean;
}

/** How a value is written: `list` is comma-separated, `map` is `a.b=c`, `scalar` is a number or a word. */
export type OptionKind = 'boolean' | 'number' | 'string' | 'scalar' | 'list' | 'map';

/** One option as the command line knows it. */
export interface OptionSpec {
  /** Key in the schema (`batchSize`). */
  readonly key: string;
  /** Long name without dashes (`batch-size`). */
  readonly name: string;
  readonly aliases: readonly string[];
  readonly kind: OptionKind;
  /** For a list, the kind of its items. */
  readonly itemKind: 'number' | 'string' | 'scalar';
  readonly isPositional: boolean;
  readonly splitsCommas: boolean;
  readonly isRequired: boolean;
  readonly isHidden: boolean;
  readonly description: string;
  readonly placeholder: string;
  /** What values are right, in words; empty when any is. */
  readonly expected: string;
  readonly default: unknown;
}

const property = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  items: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  const: z.union([z.string(), z.number(), z.boolean()]).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  exclusiveMaximum: z.number().optional(),
  multipleOf: z.number().optional(),
  default: z.unknown().optional(),
  description: z.string().optional(),
  unit: z.string().optional(),
  placeholder: z.string().optional(),
  aliases: z.array(z.string()).optional(),
  positional: z.boolean().optional(),
  repeat: z.boolean().optional(),
  hidden: z.boolean().optional(),
});
type Property = z.infer<typeof property>;

const objectShape = z.object({
  properties: z.record(z.string(), property).default({}),
  required: z.array(z.string()).default([]),
});

/** `batchSize` and `batch_size` to `batch-size`. */
export const kebab = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll('_', '-')
    .toLowerCase();

/** The value types of a property, through unions and nullable. */
const typesOf = (p: Property): ReadonlySet<string> => {
  const types = new Set<string>();
  for (const branch of p.anyOf ?? p.oneOf ?? []) {
    const parsed = property.safeParse(branch);
    if (parsed.success) for (const type of typesOf(parsed.data)) types.add(type);
  }
  for (const type of typeof p.type === 'string' ? [p.type] : (p.type ?? []))
    types.add(type === 'integer' ? 'number' : type);
  types.delete('null');
  return types;
};

const kindOf = (p: Property): OptionKind => {
  const types = typesOf(p);
  if (types.has('array')) return 'list';
  if (types.has('object')) return 'map';
  if (types.size === 1 && types.has('boolean')) return 'boolean';
  if (types.has('number')) return types.size === 1 ? 'number' : 'scalar';
  return 'string';
};

const scalarKind = (p: Property): 'number' | 'string' | 'scalar' => {
  const kind = kindOf(p);
  return kind === 'number' || kind === 'scalar' ? kind : 'string';
};

/** What values are right: `integer >= 32, multiple of 32`, `one of native, wasm`. */
const expectedOf = (p: Property): string => {
  const branches = (p.anyOf ?? p.oneOf ?? []).map((branch) => property.safeParse(branch).data);
  if (branches.length > 0)
    return branches
      .map((branch) => (branch === undefined ? '' : expectedOf(branch)))
      .filter((text) => text !== '')
      .join(' or ');
  if (p.enum !== undefined) return `one of ${p.enum.map(String).join(', ')}`;
  if (p.const !== undefined) return String(p.const);
  if (p.type === 'array') {
    const items = property.safeParse(p.items);
    return items.success && expectedOf(items.data) !== '' ? `each ${expectedOf(items.data)}` : '';
  }
  if (p.type !== 'number' && p.type !== 'integer') return '';
  const parts: string[] = [];
  const { minimum, maximum } = p;
  if (minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER) parts.push(`>= ${minimum}`);
  if (p.exclusiveMinimum !== undefined) parts.push(`> ${p.exclusiveMinimum}`);
  if (maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER) parts.push(`<= ${maximum}`);
  if (p.exclusiveMaximum !== undefined) parts.push(`< ${p.exclusiveMaximum}`);
  const kind = p.type === 'integer' ? 'integer' : 'number';
  const range = parts.length === 0 ? kind : `${kind} ${parts.join(' and ')}`;
  return p.multipleOf === undefined ? range : `${range}, a multiple of ${p.multipleOf}`;
};

const placeholderOf = (p: Property, kind: OptionKind): string => {
  if (p.placeholder !== undefined) return p.placeholder;
  if (kind === 'map') return 'KEY=VALUE';
  if (kind === 'list') return 'A,B,...';
  if (p.enum !== undefined && p.enum.length <= 4) return p.enum.map(String).join('|');
  return kind === 'number' ? 'N' : 'VALUE';
};

/** The options that a schema (a zod object) describes, in the order of declaration. */
export const optionSpecs = (schema: z.ZodType): readonly OptionSpec[] => {
  const { properties, required } = objectShape.parse(
    z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }),
  );
  return Object.entries(properties).map(([key, p]) => {
    const kind = kindOf(p);
    const items = property.safeParse(p.items);
    return {
      key,
      name: kebab(key),
      aliases: (p.aliases ?? []).map((alias) => (alias.length === 1 ? alias : kebab(alias))),
      kind,
      itemKind: items.success ? scalarKind(items.data) : 'string',
      isPositional: p.positional === true,
      splitsCommas: p.repeat !== true,
      isRequired: required.includes(key),
      isHidden: p.hidden === true,
      description: p.unit === undefined ? (p.description ?? '') : `${p.description ?? ''} [${p.unit}]`,
      placeholder: placeholderOf(p, kind),
      expected: expectedOf(p),
      default: p.default,
    };
  });
};

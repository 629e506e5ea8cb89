/**
 * What a training distils, with which weights, over which epochs: one schema for the yaml file of `--distill`, for
 * `--set distill.output.weight=1` and for callers. The type, the validation and the documentation are the same text.
 */
import { parse } from 'yaml';
import { z } from 'zod';
import { SoftshardError } from '../errors.ts';
import { HINT_ADAPTERS, HINT_KINDS, pairName } from './hint.ts';

const weight = z.number().nonnegative();

export const scheduleSchema = z
  .strictObject({
    kind: z.enum(['constant', 'linear', 'cosine']).default('constant').describe('how the factor runs'),
    from: weight.default(1).describe('factor of the weight in the first epoch; the only one of `constant`'),
    to: weight.default(1).describe('factor in the last epoch in which the term is on'),
    offLastEpochs: z.int().nonnegative().default(0).describe('epochs at the end without the term'),
  })
  .describe('factor of a weight over the epochs');

const schedule = scheduleSchema.prefault({});

export const outputOptionsSchema = z
  .strictObject({
    kind: z
      .enum(['soft', 'l2', 'none'])
      .default('soft')
      .describe('soft: the twin of the hard loss with soft targets; l2: weighted squares of raw logits'),
    weight: weight.default(1).describe('weight against a hard loss of weight 1'),
    temperature: z.number().positive().default(1).describe('of the class term of `soft`, times its square'),
    schedule,
  })
  .describe('distillation of the outputs');

export const hintOptionsSchema = z
  .strictObject({
    student: z.int().nonnegative().describe('layer index in the student'),
    teacher: z.int().nonnegative().describe('layer index in the teacher'),
    kind: z.enum(HINT_KINDS).default('mse').describe('distance between the features'),
    weight: weight.default(1).describe('weight against a hard loss of weight 1'),
    adapter: z.enum(HINT_ADAPTERS).default('conv1x1').describe('trained layer between student and teacher'),
    temperature: z.number().positive().default(1).describe('of `cwd`'),
    schedule,
  })
  .describe('distillation of one pair of layers');

export const distillationOptionsSchema = z
  .strictObject({
    output: outputOptionsSchema.prefault({}),
    hints: z
      .array(hintOptionsSchema)
      .default([])
      .refine(
        (hints) => new Set(hints.map(pairName)).size === hints.length,
        'two hints join the same pair of layers',
      ),
    hard: z
      .strictObject({ weight: weight.default(1).describe('weight of the hard loss') })
      .prefault({})
      .describe('the loss against labels'),
  })
  .describe('what is distilled');

export type OutputOptions = z.infer<typeof outputOptionsSchema>;
export type HintOptions = z.infer<typeof hintOptionsSchema>;
export type DistillationOptions = z.infer<typeof distillationOptionsSchema>;

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `base` with `changes` laid over it, objects key by key; an object with index keys changes the items of a list. */
function overlaid(base: unknown, changes: unknown): unknown {
  if (!isPlain(changes)) return changes;
  if (Object.keys(changes).length === 0) return base;
  const startsList = base === undefined && Object.keys(changes).every((key) => /^\d+$/.test(key));
  if (Array.isArray(base) || startsList) {
    const items: unknown[] = Array.isArray(base) ? [...(base as unknown[])] : [];
    for (const [key, change] of Object.entries(changes))
      items[Number(key)] = overlaid(items[Number(key)], change);
    return items;
  }
  const merged: Record<string, unknown> = isPlain(base) ? { ...base } : {};
  for (const [key, change] of Object.entries(changes)) merged[key] = overlaid(merged[key], change);
  return merged;
}

/**
 * Validates options given as plain data and fills in the defaults: output `soft` with weight 1, no hints, hard weight
 * 1. `changes` (nested, as from `--set`) go over `options`; a list's items are addressed by index. `where` names the
 * source in errors. Throws E_LOSS naming the first key that is unknown or bad.
 */
export function distillationOptions(
  options: unknown,
  changes: unknown = {},
  where = 'distill',
): DistillationOptions {
  const parsed = distillationOptionsSchema.safeParse(overlaid(options ?? {}, changes));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new SoftshardError('E_LOSS', {
    message: `The distillation options cannot be used: ${issue?.message ?? 'malformed'}.`,
    where: [where, ...(issue?.path ?? [])].join('.'),
    cause: parsed.error,
  });
}

/** `distillationOptions` of a yaml text. Throws E_LOSS when the text is no yaml. */
export function parseDistillationOptions(
  text: string,
  changes?: unknown,
  where?: string,
): DistillationOptions {
  let options: unknown;
  try {
    options = parse(text);
  } catch (cause) {
    throw new SoftshardError('E_LOSS', {
      message: 'The distillation options are not yaml.',
      ...(where === undefined ? {} : { where }),
      cause,
    });
  }
  return distillationOptions(options, changes, where);
}

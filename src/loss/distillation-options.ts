/**
 * What a training distils, with which weights, over which epochs: one schema for the yaml file of `--distill`, for
 * `--set distill.output.weight=1` and for callers. The type, the validation and the documentation are the same text.
 */
import { parse } from 'yaml';
import { z } from 'zod';
import { SoftshardError } from '../errors.ts';
import { isRecord } from '../text/plain-record.ts';
import { classifierOptionsSchema } from './classifier-options.ts';
import { scheduleSchema } from './schedule-schema.ts';
import {
  ADAPTER_WEIGHTS,
  HINT_ADAPTERS,
  HINT_KINDS,
  HINT_NORMS,
  HINT_PIXELS,
  pairName,
  WEIGHTED_KINDS,
} from './hint-pair.ts';
import { SPLIT_FORMS } from './output-split.ts';

export { scheduleSchema };

const weight = z.number().nonnegative();

/** What of the outputs is distilled. */
export const OUTPUT_KINDS = ['soft', 'l2', 'decoded', 'ld', 'dkd', 'pseudo', 'split', 'kl', 'none'] as const;
export type OutputKind = (typeof OUTPUT_KINDS)[number];

/** How the classes of two models are compared. */
export const OUTPUT_CLASSES = ['sigmoid', 'softmax', 'l2'] as const;
export type OutputClasses = (typeof OUTPUT_CLASSES)[number];

/** The kinds that read an option; one that nobody reads would be a setting without effect. */
const READ_BY: Readonly<Record<string, readonly OutputKind[]>> = {
  classes: ['soft', 'ld', 'pseudo'],
  alpha: ['dkd'],
  beta: ['dkd'],
  boxTemperature: ['ld'],
  suppression: ['decoded', 'split'],
  form: ['split'],
  confidence: ['pseudo'],
  iou: ['pseudo'],
  maxDetections: ['pseudo'],
  ratio: ['pseudo'],
};

const schedule = scheduleSchema.prefault({});

export const outputOptionsSchema = z
  .strictObject({
    kind: z
      .enum(OUTPUT_KINDS)
      .default('soft')
      .describe(
        'soft: the twin of the hard loss with soft targets; l2: weighted squares of raw logits; decoded: squares of ' +
          'decoded values with suppressed neighbours; ld: soft with boxes by their logits; dkd: soft with true class ' +
          'and others decoupled; pseudo: the detections of the teacher as labels; split: cross entropies and absolute ' +
          'differences by column; kl: divergence of whole rows',
      ),
    weight: weight.default(1).describe('weight against a hard loss of weight 1'),
    temperature: z
      .number()
      .positive()
      .default(1)
      .describe('of the class term of `soft`, `ld`, `dkd` and `pseudo`, and of `kl`; times its square'),
    classes: z
      .enum(OUTPUT_CLASSES)
      .optional()
      .describe(
        'how classes are compared: `sigmoid` each by itself (the default), `softmax` as one distribution, `l2` by ' +
          'squares of logits (`pseudo` alone, its default)',
      ),
    alpha: weight.optional().describe('of `dkd`: weight of the true class; 1 by default'),
    beta: weight.optional().describe('of `dkd`: weight of the other classes; 0.25 by default'),
    boxTemperature: z
      .number()
      .positive()
      .optional()
      .describe('of `ld`: divides the box logits; 10 by default'),
    suppression: z
      .enum(['neighbourhood', 'none'])
      .optional()
      .describe('of `decoded` and `split`: whether of neighbouring answers only the surest teaches; it does'),
    form: z
      .enum(SPLIT_FORMS)
      .optional()
      .describe(
        'of `split`: `mended` (the default), or `original` with the mistakes of the first implementation',
      ),
    confidence: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe('of `pseudo`: score above which a detection is a label; 0.1 by default'),
    iou: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe('of `pseudo`: overlap above which a weaker detection is dropped; 0.3 by default'),
    maxDetections: z
      .int()
      .positive()
      .optional()
      .describe('of `pseudo`: detections an image, best first; 300 by default'),
    ratio: weight.optional().describe('of `pseudo`: weight of its class term; 0.05 by default'),
    schedule,
  })
  .superRefine((options, context) => {
    for (const [name, kinds] of Object.entries(READ_BY)) {
      const value = options[name as keyof typeof options];
      if (value === undefined || kinds.includes(options.kind)) continue;
      context.addIssue({
        code: 'custom',
        path: [name],
        message: `${name} belongs to the kinds ${kinds.join(', ')}, not to ${options.kind}`,
      });
    }
    if (options.classes === 'l2' && options.kind !== 'pseudo') {
      context.addIssue({
        code: 'custom',
        path: ['classes'],
        message: `l2 classes belong to pseudo, not to ${options.kind}`,
      });
    }
  })
  .describe('distillation of the outputs');

const fgdSchema = z
  .strictObject({
    alpha: weight.optional().describe('weight of the foreground; 1e-3 by default'),
    beta: weight.optional().describe('weight of the background; 5e-4 by default'),
    gamma: weight.optional().describe('weight of the attention maps; 1e-3 by default'),
    lambda: weight.optional().describe('weight of the relations between pixels; 5e-6 by default'),
    temperature: z.number().positive().optional().describe('of the attention maps; 0.5 by default'),
  })
  .describe('of `fgd`');

const mgdSchema = z
  .strictObject({
    alpha: weight.optional().describe('weight of the sum of squares; 2e-5 by default'),
    hidden: z
      .number()
      .min(0)
      .lt(1)
      .optional()
      .describe('share of the pixels that are hidden; 0.65 by default'),
  })
  .describe('of `mgd`');

export const hintOptionsSchema = z
  .strictObject({
    student: z.int().nonnegative().describe('layer index in the student'),
    teacher: z.int().nonnegative().describe('layer index in the teacher'),
    kind: z.enum(HINT_KINDS).default('mse').describe('distance between the features'),
    weight: weight.default(1).describe('weight against a hard loss of weight 1'),
    adapter: z.enum(HINT_ADAPTERS).default('conv1x1').describe('trained layer between student and teacher'),
    adapterWeights: z
      .enum(ADAPTER_WEIGHTS)
      .optional()
      .describe(
        'of `conv1x1`: `trained` (the default), or for experiments `frozen` as drawn at first, or `redrawn` at every batch',
      ),
    temperature: z.number().positive().default(1).describe('of `cwd`'),
    norm: z
      .enum(HINT_NORMS)
      .optional()
      .describe('whose feature is standardised by channel over the batch first; `none` by default'),
    pixels: z
      .enum(HINT_PIXELS)
      .optional()
      .describe(
        "of `mse`, `l1` and `cosine`: which pixels count: `all` (the default), by the teacher's `objectness`, or " +
          'those in labelled `boxes`',
      ),
    fgd: fgdSchema.optional(),
    mgd: mgdSchema.optional(),
    schedule,
  })
  .superRefine(({ kind, pixels = 'all', fgd, mgd, adapter, adapterWeights }, context) => {
    const refuse = (path: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [path], message });
    };
    if (pixels !== 'all' && !WEIGHTED_KINDS.includes(kind)) {
      refuse('pixels', `pixels can be weighed in ${WEIGHTED_KINDS.join(', ')}, not in ${kind}`);
    }
    if (adapter === 'none' && adapterWeights !== undefined) {
      refuse('adapterWeights', 'there is no adapter whose weights these could be');
    }
    if (fgd !== undefined && kind !== 'fgd') refuse('fgd', `fgd belongs to the kind fgd, not to ${kind}`);
    if (mgd !== undefined && kind !== 'mgd') refuse('mgd', `mgd belongs to the kind mgd, not to ${kind}`);
  })
  .describe('distillation of one pair of layers');

export const distillationOptionsSchema = z
  .strictObject({
    output: outputOptionsSchema.prefault({}),
    classifier: classifierOptionsSchema
      .optional()
      .describe(
        'distillation of a classifier, in place of `output`: softmax at T = 4 and alpha 0.9 by default',
      ),
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

/** Whether the output loss can learn from cached detections. */
export const readsDetections = ({ output }: Pick<DistillationOptions, 'output'>): boolean =>
  output.kind === 'pseudo';

/** Whether some term reads the teacher's heads; `hasDetections` where its detections are cached in their place. */
export const needsHeads = (options: DistillationOptions, hasDetections = false): boolean =>
  (options.output.kind !== 'none' && !(hasDetections && readsDetections(options))) ||
  options.hints.some(({ pixels }) => pixels === 'objectness');

/** `base` with `changes` laid over it, objects key by key; an object with index keys changes the items of a list. */
function overlaid(base: unknown, changes: unknown): unknown {
  if (!isRecord(changes)) return changes;
  if (Object.keys(changes).length === 0) return base;
  const startsList = base === undefined && Object.keys(changes).every((key) => /^\d+$/.test(key));
  if (Array.isArray(base) || startsList) {
    const items: unknown[] = Array.isArray(base) ? [...(base as unknown[])] : [];
    for (const [key, change] of Object.entries(changes))
      items[Number(key)] = overlaid(items[Number(key)], change);
    return items;
  }
  const merged: Record<string, unknown> = isRecord(base) ? { ...base } : {};
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

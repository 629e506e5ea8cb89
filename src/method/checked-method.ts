/** Reads and checks what a method's file says. */
import { z } from 'zod';
import { SoftshardError } from '../errors.ts';
import { distillationOptions, needsHeads, type DistillationOptions } from '../loss/distillation-options.ts';
import { UPDATE_RULES, type UpdateRuleName } from '../optim/update-rule.ts';
import type { Method, MethodNeeds } from './method.ts';

const settings = z.record(z.string(), z.unknown());

const stageSchema = z
  .strictObject({
    share: z.number().gt(0).max(1).describe('share of the epochs'),
    distill: settings.describe('what is distilled, as in the file of --distill'),
    hyp: settings.default({}).describe('hyper-parameters laid over those of the run'),
    optimizer: z
      .enum(Object.keys(UPDATE_RULES) as [UpdateRuleName, ...UpdateRuleName[]])
      .optional()
      .describe('update rule; that of the run by default'),
    warmupIterations: z
      .int()
      .min(0)
      .optional()
      .describe('least batches of warm-up; that of the run by default'),
  })
  .describe('a training of its own, which begins with the weights of the one before');

/** A method's file: `distill` for one training, or `stages`. */
export const methodSchema = z
  .strictObject({
    summary: z.string().min(1).describe('one sentence'),
    distill: settings.optional().describe('what is distilled, as in the file of --distill'),
    stages: z.array(stageSchema).min(1).optional().describe('several trainings, one after the other'),
  })
  .refine(
    ({ distill, stages }) => (distill === undefined) !== (stages === undefined),
    'a method has either distill or stages',
  )
  .refine(
    ({ stages = [] }) =>
      stages.length === 0 || Math.abs(stages.reduce((sum, s) => sum + s.share, 0) - 1) < 1e-6,
    'the shares of the stages do not add up to 1',
  )
  .describe('a distillation method');

/** What a training reads of a teacher. */
const needsOf = (distill: DistillationOptions): MethodNeeds => ({
  teacher: distill.output.kind !== 'none' || distill.hints.length > 0,
  heads: needsHeads(distill),
  hints: distill.hints.map(({ teacher }) => teacher),
});

/** Checks a method's file. `where` names it in errors. Throws E_LOSS naming the first key that is unknown or bad. */
export function checkedMethod(name: string, values: unknown, where: string): Method {
  const parsed = methodSchema.safeParse(values);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new SoftshardError('E_LOSS', {
      message: `The method ${name} cannot be used: ${issue?.message ?? 'malformed'}.`,
      where: [where, ...(issue?.path ?? [])].join('.'),
      cause: parsed.error,
    });
  }
  const { summary, distill, stages } = parsed.data;
  const written = stages ?? [{ share: 1, distill: distill ?? {}, hyp: {} }];
  return {
    name,
    summary,
    stages: written.map((stage, i) => {
      const place = stages === undefined ? `${where}.distill` : `${where}.stages.${i}`;
      const distill = distillationOptions(stage.distill, {}, place);
      return { ...stage, settings: stage.distill, distill, needs: needsOf(distill) };
    }),
  };
}

/** How a classifier learns from a teacher's logits. */
import { z } from 'zod';
import { scheduleSchema } from './schedule-schema.ts';

const weight = z.number().nonnegative();

/** How a classifier learns from a teacher's logits. */
export const classificationOptionsSchema = z
  .strictObject({
    kind: z
      .enum(['softmax', 'sigmoid', 'dkd', 'none'])
      .default('softmax')
      .describe(
        'softmax: KL of the distributions; sigmoid: each class by itself; dkd: true class and rest decoupled',
      ),
    temperature: z.number().positive().default(4).describe('divides the logits of both, times its square'),
    alpha: z
      .number()
      .min(0)
      .max(1)
      .default(0.9)
      .describe('weight of the soft term; the hard one gets 1 - alpha'),
    target: weight.default(1).describe('of `dkd`: weight of the true class against the rest'),
    rest: weight.default(8).describe('of `dkd`: weight of the rest among itself'),
  })
  .describe('distillation of a classifier');

export type ClassificationOptions = z.infer<typeof classificationOptionsSchema>;

/** The same as part of a training's options: with a schedule of the soft term. */
export const classifierOptionsSchema = classificationOptionsSchema.extend({
  schedule: scheduleSchema.prefault({}),
});

export type ClassifierOptions = z.infer<typeof classifierOptionsSchema>;

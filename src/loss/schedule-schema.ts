/** How the weight of a term changes over the epochs. */
import { z } from 'zod';

const weight = z.number().nonnegative();

export const scheduleSchema = z
  .strictObject({
    kind: z.enum(['constant', 'linear', 'cosine']).default('constant').describe('how the factor runs'),
    from: weight.default(1).describe('factor of the weight in the first epoch; the only one of `constant`'),
    to: weight.default(1).describe('factor in the last epoch in which the term is on'),
    offLastEpochs: z.int().nonnegative().default(0).describe('epochs at the end without the term'),
    offLastShare: z
      .number()
      .min(0)
      .lt(1)
      .optional()
      .describe('the same as a share of the epochs, rounded down; the larger of the two counts'),
    warmupEpochs: z
      .int()
      .nonnegative()
      .optional()
      .describe('epochs at the start over which the factor rises to its full height; 0 by default'),
  })
  .describe('factor of a weight over the epochs');

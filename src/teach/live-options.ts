/** The options of a live teacher: those of `teach` that choose its answers, without a cache to write. */
import { z } from 'zod';
import { teachOptionsSchema } from './teach-options.ts';

export const liveOptionsSchema = teachOptionsSchema.omit({ cache: true, units: true }).extend({
  keep: z
    .int()
    .min(0)
    .default(1024)
    .describe('memory for answers of a batch that are not asked for yet; what is forgotten is computed again')
    .meta({ unit: 'MB' }),
});

export type LiveOptions = z.output<typeof liveOptionsSchema>;

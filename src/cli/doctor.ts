/** `softshard doctor`: what this machine can train with, and why not with more. */
import { z } from 'zod';
import { EXIT } from '../errors.ts';
import { defineStep, stepMain } from '../flow/step-main.ts';
import { diagnosisText } from './diagnosis-text.ts';
import { diagnose } from './diagnosis.ts';

export const command = defineStep({
  name: 'doctor',
  summary:
    'Loads and tests every engine: which were found, which were refused and why, how right their gradients and how fast they are. Ends with 1 when none can train.',
  environment: 'none',
  options: z.strictObject({
    probe: z
      .number()
      .min(0)
      .max(60)
      .default(5)
      .describe('how long speed is measured, in all')
      .meta({ unit: 'seconds' }),
  }),
  run: ({ probe }, { signal }) => diagnose({ probeMs: probe * 1000, signal }),
  describe: diagnosisText,
  exitCode: ({ canTrain }) => (canTrain ? EXIT.ok : EXIT.failure),
});

stepMain(import.meta.url, command);

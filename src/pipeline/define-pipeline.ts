/** Declares a pipeline: a command that runs steps and holds no engine itself. */
import type { z } from 'zod';
import type { StepCommand } from '../flow/step-command.ts';

/** What a pipeline file exports as `command`; types come from the schema. */
export const definePipeline = <S extends z.ZodType, R>(
  pipeline: Omit<StepCommand<S, R>, 'environment'>,
): StepCommand<S, R> => ({ ...pipeline, environment: 'none' });

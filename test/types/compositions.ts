/** Compositions that the compiler must accept, and wrong ones that it must refuse. Compiled, never run. */
import { expectTypeOf } from 'expect-type';
import { z } from 'zod';
import {
  chain,
  defineStep,
  runCommand,
  workOn,
  type DecodedView,
  type SoftshardEvent,
  type Source,
  type Stage,
  type StepContext,
  type Target,
  type Unit,
} from 'softshard';
import type { Loss } from 'softshard/loss';

declare const decode: Source<DecodedView>;
declare const infer: Stage<DecodedView, Target>;
declare const otherInfer: Stage<DecodedView, Target>;
declare const write: Stage<Target, { readonly unit: number }>;
declare const unit: Unit;
declare const context: Parameters<typeof decode>[1];

// The right order, whole and in parts; a stage is replaced by another of the same type in one line.
const teach = chain(decode, infer, write);
expectTypeOf(teach).toEqualTypeOf<Source<{ readonly unit: number }>>();
expectTypeOf(chain(decode, otherInfer, write)).toEqualTypeOf(teach);
expectTypeOf(chain(infer, write)).toEqualTypeOf<Stage<DecodedView, { readonly unit: number }>>();
teach(workOn(unit), context);

// @ts-expect-error A chain in the wrong order: infer needs views, write yields none.
chain(decode, write, infer);
// @ts-expect-error A stage is missing: write takes targets.
chain(decode, write);

interface CacheFolder {
  readonly cache: string;
}
const makeCache = defineStep({
  name: 'make-cache',
  summary: 'Makes a cache.',
  options: z.strictObject({ weights: z.string(), imgsz: z.int().default(640) }),
  run: ({ weights }): Promise<CacheFolder> => Promise.resolve({ cache: weights }),
});
const learn = defineStep({
  name: 'learn',
  summary: 'Learns from a cache.',
  options: z.strictObject({ cache: z.string(), epochs: z.int() }),
  run: ({ epochs }) => Promise.resolve({ run: 'runs/a', epochs }),
});

export const pipeline = async (step: StepContext): Promise<string> => {
  const made = await runCommand(makeCache, { weights: 'teacher.pt' }, step);
  expectTypeOf(made).toEqualTypeOf<CacheFolder>();
  const { run } = await runCommand(learn, { cache: made.cache, epochs: 3 }, step);

  // @ts-expect-error The result of one step is not the option of another.
  await runCommand(learn, { cache: made, epochs: 3 }, step);
  // @ts-expect-error An option is missing.
  await runCommand(learn, { cache: made.cache }, step);
  // @ts-expect-error There is no such option.
  await runCommand(makeCache, { weights: 'teacher.pt', cahce: 'a' }, step);
  const learnt = await runCommand(learn, { cache: made.cache, epochs: 1 }, step);
  // @ts-expect-error The steps in the wrong order: what learn gives is no option of make-cache.
  await runCommand(makeCache, learnt, step);
  return run;
};

// Events are one discriminated union.
export const describe = (event: SoftshardEvent): string => {
  switch (event.type) {
    case 'unit':
      return `${event.unit} ${event.state}`;
    case 'epoch':
      return `${event.epoch} ${Object.keys(event.metrics).join(' ')}`;
    case 'start':
    case 'step':
    case 'info':
    case 'warn':
    case 'done':
    case 'failed':
      return event.run;
  }
};

// @ts-expect-error A loss gives named scalars, not numbers.
export const wrongLoss: Loss = () => ({ loss: 1 });

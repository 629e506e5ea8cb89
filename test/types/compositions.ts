/** Compositions that the compiler must accept, and wrong ones that it must refuse. Compiled, never run. */
import { expectTypeOf } from 'expect-type';
import { of } from 'rxjs';
import {
  chain,
  dataset,
  perform,
  source,
  teach as teachStep,
  train as trainStep,
  weights,
  workOn,
  type CacheRef,
  type DecodedView,
  type RunRef,
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
expectTypeOf(chain(decode)).toEqualTypeOf<Source<DecodedView>>();
expectTypeOf(source((one) => of(one.index))).toEqualTypeOf<Source<number>>();
teach(workOn(unit), context);

// @ts-expect-error A chain in the wrong order: infer needs views, write yields none.
chain(decode, write, infer);
// @ts-expect-error A stage is missing: write takes targets.
chain(decode, write);
// @ts-expect-error A chain without a source.
chain(infer, write);
// @ts-expect-error One that is annotated does not become one.
export const headless: Source<Target> = infer;
// @ts-expect-error A stage that takes items does not become a source.
source(infer);
// @ts-expect-error A source takes no items.
chain(decode, decode);

export const pipeline = async (step: StepContext): Promise<RunRef> => {
  const data = dataset('data.yaml');
  const teacher = weights('teacher.pt');
  const answers = await perform(teachStep({ weights: teacher, data, imgsz: 320, cache: 'cache' }), step);
  expectTypeOf(answers).toEqualTypeOf<CacheRef>();
  const options = {
    cfg: 'yolov5p.yaml',
    data,
    imgsz: 320,
    epochs: 3,
    batchSize: 8,
    project: 'runs',
    name: 'a',
  };
  const run = await perform(trainStep({ ...options, cache: answers }), step);

  // @ts-expect-error A run is no cache: the steps in the wrong order.
  trainStep({ ...options, cache: run });
  // @ts-expect-error A step that was not performed has made nothing yet.
  trainStep({ ...options, cache: teachStep({ weights: teacher, data, imgsz: 320, cache: 'cache' }) });
  // @ts-expect-error Weights are no data set.
  teachStep({ weights: teacher, data: teacher, imgsz: 320, cache: 'cache' });
  // @ts-expect-error A teacher needs a folder for its cache.
  teachStep({ weights: teacher, data, imgsz: 320 });
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

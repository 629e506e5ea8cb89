/**
 * The plan: the ordered list of views, view-major (all samples at view index 0, then 1, ...), cut into units that
 * never cross a view index. A pure function of the number of samples and the options.
 */
import { SoftshardError } from '../errors.ts';

/** One view of the plan: which sample, at which view index. */
export interface ViewKey {
  readonly sample: number;
  readonly view: number;
}

/** The views of one shard: the unit of work, of replay, of resumption. */
export interface Unit {
  /** 0-based position in the plan. */
  readonly index: number;
  /** View index shared by all its views. */
  readonly view: number;
  readonly views: readonly ViewKey[];
}

export interface PlanOptions {
  readonly samples: number;
  /** Views a sample, V >= 1. */
  readonly views: number;
  /** Views a unit holds at most; 64 by default on the command line. */
  readonly unitViews: number;
  /** The first view index; 0 by default. */
  readonly firstView?: number | undefined;
}

export interface Plan extends PlanOptions {
  readonly units: readonly Unit[];
}

/** Cuts `samples` x `views` (from `firstView` on) into units, in order. Throws E_DATA_EMPTY without samples, E_USAGE on a bad count. */
export function makePlan(options: PlanOptions): Plan {
  const { samples, views, unitViews, firstView = 0 } = options;
  if (samples < 1) {
    throw new SoftshardError('E_DATA_EMPTY', {
      message: 'There is nothing to plan: the data set holds no images.',
    });
  }
  for (const [name, value] of Object.entries({ views, unitViews })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new SoftshardError('E_USAGE', {
        message: `The plan needs a whole number of ${name}.`,
        expected: 'an integer >= 1',
        found: String(value),
      });
    }
  }
  const units: Unit[] = [];
  for (let view = firstView; view < firstView + views; view++) {
    for (let start = 0; start < samples; start += unitViews) {
      const end = Math.min(start + unitViews, samples);
      const keys = Array.from({ length: end - start }, (_, i) => ({ sample: start + i, view }));
      units.push({ index: units.length, view, views: keys });
    }
  }
  return { samples, views, unitViews, units };
}

/** The batches in which `teach` runs the teacher over a unit: the bits of an answer depend on who else is in its batch. */
import { placeOf } from '../cache/extent.ts';
import type { Plan, Unit, ViewKey } from '../data/plan.ts';
import { SoftshardError } from '../errors.ts';

/** Where the batch of a position of a unit begins. */
export const batchStart = (teachBatch: number, position: number): number =>
  position - (position % teachBatch);

/** The batch that holds a position of a unit, as a unit of its own. */
export const batchAt = (unit: Unit, teachBatch: number, position: number): Unit => {
  const start = batchStart(teachBatch, position);
  return { ...unit, views: unit.views.slice(start, start + teachBatch) };
};

/** The batch of `teach` that holds a view, as a unit of its own. Throws E_CACHE_INCOMPLETE outside the plan. */
export function batchOf(plan: Plan, teachBatch: number, key: ViewKey): Unit {
  const place = placeOf({ ...plan, answers: [] }, key.sample, key.view);
  const unit = place === undefined ? undefined : plan.units[place.unit];
  if (place === undefined || unit === undefined) {
    throw new SoftshardError('E_CACHE_INCOMPLETE', {
      message: 'The live teacher does not know that view.',
      where: `sample ${key.sample}, view ${key.view}`,
      expected: `${plan.samples} samples, ${plan.views} views`,
    });
  }
  return batchAt(unit, teachBatch, place.position);
}

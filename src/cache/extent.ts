/** What a cache holds or is to hold: which views of how many samples, cut into which units, answered how. */
import { z } from 'zod';
import { SoftshardError } from '../errors.ts';
import type { Unit } from '../data/plan.ts';

const count = z.int().min(1).max(0xffffffff);

/** One kind of answer: the blobs it consists of, and the codec that stores them in a part of its own. */
export const answerSchema = z.looseObject({
  kind: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/),
  blobs: z.array(z.string().min(1).max(200)).min(1).max(4096),
  codec: z.string().min(1).max(1000),
});

/** The extent as the manifest carries it. */
export const extentSchema = z.looseObject({
  samples: count,
  unitViews: z.int().min(1).max(65536),
  views: z.int().min(1).max(100_000),
  /** The first view index, where it is not 0: an extension may hold later views alone. */
  firstView: z.int().min(1).max(100_000).optional(),
  answers: z.array(answerSchema).min(1).max(4096),
});

export type Answer = z.infer<typeof answerSchema>;
export type Extent = z.infer<typeof extentSchema>;

/** Units that one view index takes: units never cross a view index. */
export const unitsPerView = (extent: Extent): number => Math.ceil(extent.samples / extent.unitViews);

/** Units of the whole extent. */
export const unitCount = (extent: Extent): number => extent.views * unitsPerView(extent);

/** Where the view of a sample lies. */
export interface Place {
  readonly unit: number;
  /** Position within the unit, 0-based. */
  readonly position: number;
}

/** The unit and position of (sample, view), or undefined outside the extent. */
export function placeOf(extent: Extent, sample: number, view: number): Place | undefined {
  const inside = (n: number, end: number): boolean => Number.isInteger(n) && n >= 0 && n < end;
  const row = view - (extent.firstView ?? 0);
  if (!inside(sample, extent.samples) || !inside(row, extent.views)) return undefined;
  const unit = row * unitsPerView(extent) + Math.floor(sample / extent.unitViews);
  return { unit, position: sample % extent.unitViews };
}

/** The view index and the samples of a unit, in order. Throws E_USAGE for a unit that the extent does not have. */
export function unitContent(extent: Extent, unit: number): { view: number; samples: number[] } {
  if (!Number.isInteger(unit) || unit < 0 || unit >= unitCount(extent)) {
    throw new SoftshardError('E_USAGE', {
      message: 'The cache has no such unit.',
      expected: `0 to ${unitCount(extent) - 1}`,
      found: String(unit),
    });
  }
  const first = (unit % unitsPerView(extent)) * extent.unitViews;
  const length = Math.min(extent.unitViews, extent.samples - first);
  return {
    view: (extent.firstView ?? 0) + Math.floor(unit / unitsPerView(extent)),
    samples: Array.from({ length }, (_, i) => first + i),
  };
}

/** Throws E_INTERNAL when a plan's unit is not the extent's unit of that index. */
export function checkUnit(extent: Extent, unit: Unit): void {
  const { view, samples } = unitContent(extent, unit.index);
  const equal =
    unit.view === view &&
    unit.views.length === samples.length &&
    unit.views.every((key, i) => key.view === view && key.sample === samples[i]);
  if (equal) return;
  throw new SoftshardError('E_INTERNAL', {
    message: 'A unit of the plan is not the unit of the cache that has its index.',
    expected: `view ${view}, samples ${String(samples[0])} to ${String(samples.at(-1))}`,
    found: `view ${unit.view}, ${unit.views.length} views from sample ${String(unit.views[0]?.sample)}`,
    where: `unit ${unit.index}`,
  });
}

/** Throws E_USAGE when two answers would share a part, or one blob is answered twice in the same codec. */
export function checkAnswers(answers: readonly Answer[]): void {
  const parts = new Set<string>();
  for (const { kind, blobs, codec } of answers) {
    const part = `${kind} in ${codec}`;
    if (parts.has(part) || new Set(blobs).size !== blobs.length) {
      throw new SoftshardError('E_USAGE', {
        message: 'The extent of a cache names an answer twice.',
        found: `${part}: ${blobs.join(', ')}`,
      });
    }
    parts.add(part);
  }
}

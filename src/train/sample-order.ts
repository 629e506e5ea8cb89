/** In which order a training sees its samples: a pure function of seed and step, with nothing to save. */
import { drawKey } from '../random/keyed.ts';
import { permutation } from '../random/permutation.ts';
import type { LabelledShare } from './labelled-share.ts';

export interface OrderOptions {
  /** Samples of one pass. */
  readonly samples: number;
  /** Samples a unit: units are permuted whole, so that a cache is read shard by shard. */
  readonly unitViews: number;
  /** Samples inside which single views are permuted. */
  readonly shuffleViews: number;
  readonly seed: number;
}

/** What a pass goes over: all samples, or one side of a labelled share. Each has its own draws. */
type Side = 'order' | 'order-labelled' | 'order-unlabelled';

/** Every purpose that orders draw for. */
export const ORDER_PURPOSES = (['order', 'order-labelled', 'order-unlabelled'] as const).flatMap(
  (side) => [`${side}-units`, `${side}-views`] as const,
);

/** Cuts ascending members where their unit changes. */
function byUnit(members: readonly number[], unitViews: number): readonly (readonly number[])[] {
  const units = new Map<number, number[]>();
  for (const member of members) {
    const unit = Math.floor(member / unitViews);
    const known = units.get(unit);
    if (known === undefined) units.set(unit, [member]);
    else known.push(member);
  }
  return [...units.values()];
}

/** `members` (ascending) in the order of pass `pass`: those of a unit together, then views inside windows. */
function orderOf(
  members: readonly number[],
  { unitViews, shuffleViews, seed }: OrderOptions,
  side: Side,
  pass: number,
): Uint32Array {
  const units = byUnit(members, unitViews);
  const order = new Uint32Array(members.length);
  let at = 0;
  for (const unit of permutation(drawKey(seed, `${side}-units`, 0, pass), units.length)) {
    for (const member of units[unit] ?? []) order[at++] = member;
  }
  for (let start = 0, window = 0; start < order.length; start += shuffleViews, window++) {
    const part = order.slice(start, start + shuffleViews);
    permutation(drawKey(seed, `${side}-views`, window, pass), part.length).forEach((from, to) => {
      order[start + to] = part[from] ?? 0;
    });
  }
  return order;
}

const positionsBelow = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);

/** The samples of pass `pass` (0-based) by position: units in keyed order, then views inside windows. */
export const passOrder = (options: OrderOptions, pass: number): Uint32Array =>
  orderOf(positionsBelow(options.samples), options, 'order', pass);

export interface EpochOptions extends OrderOptions {
  readonly batchSize: number;
  /**
   * Batches an epoch; 0 for one pass over the samples, the last batch being smaller where it must. With a labelled
   * share 0 stands for as many full batches as that pass has.
   */
  readonly stepsPerEpoch: number;
  /** Views of labelled samples in each batch; undefined: whatever the order brings. */
  readonly share?: LabelledShare | undefined;
}

/** One sample of a batch: its position in the participants' list, and the pass that brings it. */
export interface BatchItem {
  readonly position: number;
  readonly pass: number;
}

/** Batches an epoch. */
export const batchesPerEpoch = ({ samples, batchSize, stepsPerEpoch }: EpochOptions): number =>
  stepsPerEpoch > 0 ? stepsPerEpoch : Math.ceil(samples / batchSize);

/** `count` items of the endless passes over `members`, which follow one another without a seam, from item `start`. */
type Passes = (start: number, count: number) => readonly BatchItem[];

function passesOver(members: readonly number[], options: OrderOptions, side: Side): Passes {
  const recent = new Map<number, Uint32Array>();
  const passOf = (pass: number): Uint32Array => {
    const known = recent.get(pass);
    if (known !== undefined) return known;
    const order = orderOf(members, options, side, pass);
    if (recent.size >= 4) recent.delete(Math.min(...recent.keys()));
    recent.set(pass, order);
    return order;
  };
  return (start, count) =>
    Array.from({ length: count }, (_, i) => {
      const pass = Math.floor((start + i) / members.length);
      return { position: passOf(pass)[(start + i) % members.length] ?? 0, pass };
    });
}

/**
 * Batch `index` (0-based) of epoch `epoch`. With `stepsPerEpoch` the passes follow one another without a seam, and an
 * epoch is that many full batches of them. With `share` every batch is full and brings its labelled views first, then
 * the unlabelled ones; each side has passes of its own, so few labelled samples come round often. `pass` counts a
 * sample's uses from 0.
 */
export function createBatches(options: EpochOptions): (epoch: number, index: number) => readonly BatchItem[] {
  const { samples, batchSize, stepsPerEpoch, share } = options;
  if (share !== undefined) {
    const labelled = passesOver(share.labelled, options, 'order-labelled');
    const unlabelled = passesOver(share.unlabelled, options, 'order-unlabelled');
    const others = batchSize - share.views;
    return (epoch, index) => {
      const step = epoch * batchesPerEpoch(options) + index;
      return [...labelled(step * share.views, share.views), ...unlabelled(step * others, others)];
    };
  }
  const all = passesOver(positionsBelow(samples), options, 'order');
  return (epoch, index) => {
    if (stepsPerEpoch > 0) return all((epoch * stepsPerEpoch + index) * batchSize, batchSize);
    const start = index * batchSize;
    return all(epoch * samples + start, Math.min(batchSize, samples - start));
  };
}

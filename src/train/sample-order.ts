/** In which order a training sees its samples: a pure function of seed and pass, with nothing to save. */
import { drawKey } from '../random/keyed.ts';
import { permutation } from '../random/permutation.ts';

export interface OrderOptions {
  /** Samples of one pass. */
  readonly samples: number;
  /** Samples a unit: units are permuted whole, so that a cache is read shard by shard. */
  readonly unitViews: number;
  /** Samples inside which single views are permuted. */
  readonly shuffleViews: number;
  readonly seed: number;
}

/** The samples of pass `pass` (0-based) by position: units in keyed order, then views inside windows. */
export function passOrder(options: OrderOptions, pass: number): Uint32Array {
  const { samples, unitViews, shuffleViews, seed } = options;
  const order = new Uint32Array(samples);
  let at = 0;
  for (const unit of permutation(drawKey(seed, 'order-units', 0, pass), Math.ceil(samples / unitViews))) {
    const end = Math.min((unit + 1) * unitViews, samples);
    for (let sample = unit * unitViews; sample < end; sample++) order[at++] = sample;
  }
  for (let start = 0, window = 0; start < samples; start += shuffleViews, window++) {
    const part = order.slice(start, start + shuffleViews);
    permutation(drawKey(seed, 'order-views', window, pass), part.length).forEach((from, to) => {
      order[start + to] = part[from] ?? 0;
    });
  }
  return order;
}

export interface EpochOptions extends OrderOptions {
  readonly batchSize: number;
  /** Batches an epoch; 0 for one pass over the samples, the last batch being smaller where it must. */
  readonly stepsPerEpoch: number;
}

/** One sample of a batch: its position in the participants' list, and the pass that brings it. */
export interface BatchItem {
  readonly position: number;
  readonly pass: number;
}

/** Batches an epoch. */
export const batchesPerEpoch = ({ samples, batchSize, stepsPerEpoch }: EpochOptions): number =>
  stepsPerEpoch > 0 ? stepsPerEpoch : Math.ceil(samples / batchSize);

/**
 * Batch `index` (0-based) of epoch `epoch`. With `stepsPerEpoch` the passes follow one another without a seam, and an
 * epoch is that many full batches of them.
 */
export function createBatches(options: EpochOptions): (epoch: number, index: number) => readonly BatchItem[] {
  const { samples, batchSize, stepsPerEpoch } = options;
  const recent = new Map<number, Uint32Array>();
  const orderOf = (pass: number): Uint32Array => {
    const known = recent.get(pass);
    if (known !== undefined) return known;
    const order = passOrder(options, pass);
    if (recent.size >= 4) recent.delete(Math.min(...recent.keys()));
    recent.set(pass, order);
    return order;
  };
  const itemAt = (position: number): BatchItem => {
    const pass = Math.floor(position / samples);
    return { position: orderOf(pass)[position % samples] ?? 0, pass };
  };
  return (epoch, index) => {
    if (stepsPerEpoch > 0) {
      const start = (epoch * stepsPerEpoch + index) * batchSize;
      return Array.from({ length: batchSize }, (_, i) => itemAt(start + i));
    }
    const start = index * batchSize;
    const length = Math.min(batchSize, samples - start);
    return Array.from({ length }, (_, i) => itemAt(epoch * samples + start + i));
  };
}

/** An asynchronous map that keeps order and bounds how many calls are under way. */
import { SoftshardError } from '../errors.ts';

export interface MapBoundedOptions {
  /** Calls under way at once, >= 1. */
  readonly concurrency: number;
  /** Aborting rejects with E_ABORTED once the calls under way have ended. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * `fn` of every item, results in the order of the items. After a failure nothing new is started, and the calls under
 * way are waited for, so that none outlives the returned promise. It rejects with the failure of the earliest item
 * that fails, whatever the timing: all items before a failed one have been started, too.
 */
export async function mapBounded<In, Out>(
  items: readonly In[],
  options: MapBoundedOptions,
  fn: (item: In, index: number) => Promise<Out>,
): Promise<Out[]> {
  const results = new Map<number, Out>();
  const failures = new Map<number, unknown>();
  const queue = items.entries();
  const work = async (): Promise<void> => {
    for (const [index, item] of queue) {
      if (options.signal?.aborted === true || failures.size > 0) return;
      try {
        results.set(index, await fn(item, index));
      } catch (error) {
        failures.set(index, error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.concurrency, items.length) }, work));
  if (failures.size > 0) throw failures.get(Math.min(...failures.keys()));
  if (options.signal?.aborted === true) {
    throw new SoftshardError('E_ABORTED', {
      message: 'The work was cancelled.',
      cause: options.signal.reason,
    });
  }
  return [...results.entries()].sort(([a], [b]) => a - b).map(([, value]) => value);
}

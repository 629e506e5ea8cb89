/**
 * Loads ahead of a consumer, in order and within memory credits: the source of every bounded chain.
 */
import { Observable, type Subscriber } from 'rxjs';
import { SoftshardError } from '../errors.ts';
import type { CreditPool, Lease } from './credits.ts';
import { pullFrom } from './pull-from.ts';

/** A loaded value with the credits it holds. */
export interface Prefetched<R> {
  readonly value: R;
  /** Gives the credits back; the sink calls it when the value is no longer alive. Further calls do nothing. */
  readonly release: () => void;
}

export interface PrefetchOptions<T, R> {
  /** Bytes that the loaded value of an item will occupy; known before it is loaded. */
  readonly bytesOf: (item: T) => number;
  readonly credits: CreditPool;
  /** Values that are being loaded or wait for their turn, at most; at least 1. */
  readonly concurrency: number;
  /** Loads one item; `signal` aborts when the stream fails or is unsubscribed. */
  readonly load: (item: T, signal: AbortSignal) => Promise<R>;
  /** Values that the consumer keeps before it gives the first back (its batch); 1 by default. */
  readonly batch?: number;
  /**
   * The work's own signal. Its abortion errors the stream, and gives back what is still held even after the stream
   * has completed (values waiting in a consumer that failed).
   */
  readonly signal?: AbortSignal;
}

interface Loading<R> {
  readonly lease: Lease;
  readonly value: Promise<R>;
}

/** Wakes one waiting loop; a notification that nobody waits for is kept. */
const makeGate = (): { open: () => void; passed: () => Promise<void> } => {
  let wake: (() => void) | undefined;
  let isOpen = false;
  return {
    open: () => {
      isOpen = true;
      wake?.();
    },
    passed: async () => {
      if (!isOpen) await new Promise<void>((resolve) => (wake = resolve));
      isOpen = false;
      wake = undefined;
    },
  };
};

const checkBatch = (bytes: number, batch: number, total: number): void => {
  if (bytes * batch <= total) return;
  throw new SoftshardError('E_CREDITS', {
    message: 'The memory credits do not hold one batch.',
    expected: `at least ${bytes * batch} bytes (${batch} x ${bytes})`,
    found: `${total} bytes`,
    remedy: 'Raise the credits, or make the batch or the image size smaller.',
  });
};

const run = <T, R>(
  source: Iterable<T> | AsyncIterable<T> | Observable<T>,
  options: PrefetchOptions<T, R>,
  subscriber: Subscriber<Prefetched<R>>,
): void => {
  const { credits, concurrency } = options;
  const controller = new AbortController();
  const { signal } = controller;
  // Leases of loaded values: emitted and not yet released, or waiting for their turn.
  const held = new Set<Lease>();
  const queue: Loading<R>[] = [];
  const produced = makeGate();
  const consumed = makeGate();
  let ended = false;
  let completed = false;

  const releaseAll = (): void => {
    for (const lease of held) lease.release();
    held.clear();
  };
  const stop = (): void => {
    controller.abort();
    releaseAll();
    produced.open();
    consumed.open();
  };
  const fail = (error: unknown): void => {
    stop();
    subscriber.error(error);
  };
  const onAbort = (): void =>
    fail(
      new SoftshardError('E_ABORTED', { message: 'Loading was cancelled.', cause: options.signal?.reason }),
    );

  const begin = async (item: T, lease: Lease): Promise<R> => {
    try {
      const value = await options.load(item, signal);
      // Alive until now, whatever happened meanwhile: only here may a cancelled load give its credits back.
      if (signal.aborted) lease.release();
      else held.add(lease);
      return value;
    } catch (error) {
      lease.release();
      throw error;
    }
  };

  const produce = async (): Promise<void> => {
    for await (const item of pullFrom(source, signal)) {
      while (queue.length >= concurrency && !signal.aborted) await consumed.passed();
      const bytes = options.bytesOf(item);
      checkBatch(bytes, options.batch ?? 1, credits.total);
      const lease = await credits.acquire(bytes, signal);
      const value = begin(item, lease);
      // The consumer below reports it; until it gets there the rejection counts as handled.
      value.catch(() => undefined);
      queue.push({ lease, value });
      produced.open();
    }
    ended = true;
    produced.open();
  };

  const consume = async (): Promise<void> => {
    for (;;) {
      const first = queue[0];
      if (first === undefined) {
        if (ended || signal.aborted) break;
        await produced.passed();
        continue;
      }
      const value = await first.value;
      if (signal.aborted) return;
      queue.shift();
      consumed.open();
      const { lease } = first;
      subscriber.next({
        value,
        release: () => {
          held.delete(lease);
          lease.release();
        },
      });
    }
    if (signal.aborted) return;
    completed = true;
    subscriber.complete();
  };

  subscriber.add(() => {
    if (!completed) stop();
  });
  const original = options.signal;
  if (original?.aborted === true) {
    onAbort();
    return;
  }
  original?.addEventListener('abort', onAbort, { once: true });
  const onFailure = (error: unknown): void => {
    if (!signal.aborted) fail(error);
  };
  produce().catch(onFailure);
  consume().catch(onFailure);
};

/**
 * Streams the loaded values of `source` in its order. Credits are taken in order before an item is loaded, so the
 * first one never waits for a later one; a value's credits return with `release()`. When the stream fails or is
 * unsubscribed everything returns by itself. After completion what was emitted stays with the consumer (unless
 * `signal` aborts). An iterable is pulled no faster than credits allow.
 *
 * Errors: E_CREDITS when a batch does not fit the pool; E_ABORTED by `signal`; whatever `load` rejects with.
 */
export const orderedPrefetch = <T, R>(
  source: Iterable<T> | AsyncIterable<T> | Observable<T>,
  options: PrefetchOptions<T, R>,
): Observable<Prefetched<R>> => new Observable((subscriber) => run(source, options, subscriber));

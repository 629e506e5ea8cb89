import type { Observable } from 'rxjs';

/**
 * An observable as an async iterable: values wait in a queue until they are taken, the error comes after them, and
 * leaving the loop early unsubscribes. The producer must be bounded by itself (credits): the queue is not.
 */
export async function* eachValueFrom<T>(source: Observable<T>): AsyncGenerator<T> {
  const queue: T[] = [];
  let ended = false;
  let failure: { readonly error: unknown } | undefined;
  let wake: (() => void) | undefined;
  const notify = (): void => wake?.();
  const subscription = source.subscribe({
    next: (value) => {
      queue.push(value);
      notify();
    },
    error: (error: unknown) => {
      failure = { error };
      ended = true;
      notify();
    },
    complete: () => {
      ended = true;
      notify();
    },
  });
  try {
    for (;;) {
      while (queue.length > 0) yield queue.shift() as T;
      if (failure !== undefined) throw failure.error;
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- set by the callbacks above
      if (ended) return;
      await new Promise<void>((resolve) => (wake = resolve));
      wake = undefined;
    }
  } finally {
    subscription.unsubscribe();
  }
}

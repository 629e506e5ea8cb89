/** Turns any source into one that is pulled item by item. */
import { isObservable, type Observable } from 'rxjs';

async function* pullObservable<T>(source: Observable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const items: T[] = [];
  const end: { reached: boolean; failure?: { readonly error: unknown } } = { reached: false };
  let wake: () => void = () => undefined;
  const onAbort = (): void => wake();
  signal.addEventListener('abort', onAbort);
  const subscription = source.subscribe({
    next: (item) => {
      items.push(item);
      wake();
    },
    error: (error: unknown) => {
      end.failure = { error };
      wake();
    },
    complete: () => {
      end.reached = true;
      wake();
    },
  });
  try {
    for (;;) {
      if (signal.aborted) return;
      if (items.length > 0) {
        yield items.shift() as T;
      } else if (end.failure !== undefined) {
        throw end.failure.error;
      } else if (end.reached) {
        return;
      } else {
        await new Promise<void>((resolve) => (wake = resolve));
      }
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    subscription.unsubscribe();
  }
}

/**
 * The items of `source`, pulled: nothing is read ahead from an iterable. An observable cannot be held back, so its
 * items (which should be small: keys, not pixels) queue here. Ends early when `signal` aborts.
 */
export const pullFrom = <T>(
  source: Iterable<T> | AsyncIterable<T> | Observable<T>,
  signal: AbortSignal,
): Iterable<T> | AsyncIterable<T> => (isObservable(source) ? pullObservable(source, signal) : source);

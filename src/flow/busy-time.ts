/** How long a stage's synchronous work takes: the rest of the time it waits for items. */
import { Observable } from 'rxjs';
import type { Stage } from '../stage.ts';

/**
 * The same stage; `onBusy` is told the time, in the unit of `now`, that each item spent inside it. Only synchronous
 * work counts, as TensorFlow's calls are.
 */
export const timed =
  <In, Out>(stage: Stage<In, Out>, now: () => number, onBusy: (time: number) => void): Stage<In, Out> =>
  ({ unit, items }, context) => {
    const during = (work: () => void): void => {
      const began = now();
      work();
      onBusy(now() - began);
    };
    const measured = new Observable<In>((subscriber) =>
      items.subscribe({
        next: (item) => during(() => subscriber.next(item)),
        error: (error: unknown) => subscriber.error(error),
        complete: () => during(() => subscriber.complete()),
      }),
    );
    return stage({ unit, items: measured }, context);
  };

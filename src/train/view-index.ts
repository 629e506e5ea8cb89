/** Which view of a sample an epoch uses. */

export interface ViewSchedule {
  /** Views a sample, V; 0 for a fresh one at every pass. */
  readonly views: number;
  /** Views at the end that were made without mosaic, and epochs at the end that use only those; below V. */
  readonly closed: number;
  readonly epochs: number;
}

/** The index of a view, and whether it is one without mosaic. */
export interface ScheduledView {
  readonly view: number;
  readonly isClosed: boolean;
}

/**
 * The view of pass `pass` in epoch `epoch` (both 0-based): pass mod (V - k) until the last k epochs, and there the
 * last k views in turn. With V = epochs and a pass an epoch it is the epoch's number, as with fresh views.
 */
export function viewAt({ views, closed, epochs }: ViewSchedule, epoch: number, pass: number): ScheduledView {
  const isClosed = epoch >= epochs - closed;
  if (views === 0) return { view: pass, isClosed };
  if (!isClosed) return { view: pass % (views - closed), isClosed };
  const turn = (pass - (epochs - closed)) % closed;
  return { view: views - closed + (turn < 0 ? turn + closed : turn), isClosed };
}

/** What the live line of a training shows after each batch. */
import type { EventBody } from '../flow/step-command.ts';
import type { Progress } from './checkpoint.ts';
import type { EpochPace } from './train-epoch.ts';

/** Terms with room on one line: the total, those of the hard loss, and what is weighted into the total besides. */
const isShown = (name: string): boolean => /^(total|hard\/.*|weighted\/(output|hint).*)$/.test(name);

export interface RunLength {
  /** Batches an epoch. */
  readonly perEpoch: number;
  readonly epochs: number;
  readonly batchSize: number;
}

/** The event of the batch that `progress` has just counted; `memoryBytes` is the process's resident memory. */
export function batchEvent(
  { epoch, batch, sums }: Progress,
  { perEpoch, epochs, batchSize }: RunLength,
  { rate, dataWait }: EpochPace,
  memoryBytes: number = process.memoryUsage.rss(),
): EventBody {
  const done = epoch * perEpoch + batch;
  const total = epochs * perEpoch;
  return {
    type: 'step',
    done,
    total,
    of: `batches, epoch ${epoch + 1}/${epochs}`,
    metrics: Object.fromEntries(
      Object.entries(sums).flatMap(([name, sum]) => (isShown(name) ? [[`train/${name}`, sum / batch]] : [])),
    ),
    rate,
    dataWait,
    etaS: (total - done) * (batchSize / rate),
    memoryBytes,
  };
}

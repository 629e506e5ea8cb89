/** The event file of a run: one step an epoch, whatever kills and resumptions lie between. */
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeFileAtomic } from '../flow/atomic-file.ts';
import { errnoOf } from '../flow/file-error.ts';
import { decodeRecords, decodeScalars, encodeRecord, encodeScalars, encodeVersion } from './event-record.ts';
import { publishedRow } from './results-columns.ts';

type Row = Readonly<Record<string, number>>;

export interface EventFile {
  /** Appends what `rows` (one an epoch, with its `epoch`) has and the file has not, under the published names. */
  append(rows: readonly Row[]): Promise<void>;
}

async function contentOf(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

const epochOf = (row: Row): number => row['epoch'] ?? 0;

/**
 * Opens the event file of a run that has trained the epochs of `rows`. What a run that was killed has written beyond
 * them, or half, is taken out; what is missing comes with the next `append`. `now` gives seconds since 1970: the times
 * of a resumed run are those of each epoch's own sitting.
 */
export async function openEventFile(
  file: string,
  rows: readonly Row[],
  now: () => number,
): Promise<EventFile> {
  await mkdir(dirname(file), { recursive: true });
  const before = await contentOf(file);
  const trained = new Set(rows.map(epochOf));
  const written = new Set<number>();
  const [version, ...steps] = decodeRecords(before).records;
  const kept = steps.filter((record) => {
    const step = decodeScalars(record)?.step;
    if (step === undefined || !trained.has(step) || written.has(step)) return false;
    written.add(step);
    return true;
  });
  const head = version === undefined ? encodeVersion(now()) : encodeRecord(version);
  const content = Buffer.concat([head, ...kept.map(encodeRecord)]);
  if (!content.equals(before)) await writeFileAtomic(file, content);
  return {
    append: async (all) => {
      const missing = all.filter((row) => !written.has(epochOf(row)));
      const records = missing.map((row) => {
        const { epoch = 0, ...values } = publishedRow(row);
        written.add(epoch);
        return encodeScalars({ wallTime: now(), step: epoch, values });
      });
      await appendFile(file, Buffer.concat(records));
    },
  };
}

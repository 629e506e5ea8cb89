/**
 * What was found about image files, kept from one reading of a data set to the next: content (sha256) and size of each
 * file that has not changed since. Labels are read anew every time: they are what people edit, and small.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../flow/atomic-file.ts';
import type { Sample } from './sample.ts';

/** What is known of an image that can be used. */
export type CheckedImage = Pick<Sample, 'digest' | 'width' | 'height'>;

export interface ImageChecks {
  /** The result of `check`, or what is known of the file, if it is as it was then. Rejects as `check` does. */
  check(file: string, check: () => Promise<CheckedImage>): Promise<CheckedImage>;
  /** Keeps what was found, for the files asked about. Never rejects: without it, files are read again. */
  save(): Promise<void>;
}

/** Where checks are kept, and the time, ms since 1970. */
export interface ImageCheckStore {
  readonly folder: string;
  readonly now: () => number;
  /** Bytes of images that were read below which nothing is kept; 32 MiB by default: fewer are read in no time. */
  readonly leastBytes?: number;
}

const entry = z.tuple([
  z.string(), // size, times and number of the file
  z.string().regex(/^[0-9a-f]{64}$/),
  z.int().min(1),
  z.int().min(1),
]);
const fileSchema = z.object({ version: z.literal(1), images: z.record(z.string(), entry) });

/** A file changed within this time of being read could change again unseen, where clocks are coarse: ms. */
const SETTLED_MS = 3000;
const LEAST_BYTES = 32 * 2 ** 20;

/** What changes when a file does: the change time cannot be set by a user. Undefined where it is too fresh to tell. */
async function stateOf(file: string, now: number): Promise<string | undefined> {
  const found = await stat(file, { bigint: true }).catch(() => undefined);
  if (found === undefined) return undefined;
  const newest = Number((found.ctimeNs > found.mtimeNs ? found.ctimeNs : found.mtimeNs) / 1_000_000n);
  if (newest > now - SETTLED_MS) return undefined;
  return [found.size, found.mtimeNs, found.ctimeNs, found.ino, found.dev].join(' ');
}

/** The checks of the data set `source` (the path of its yaml or folder); none are kept without a store. */
export async function openImageChecks(
  store: ImageCheckStore | undefined,
  source: string,
): Promise<ImageChecks> {
  if (store === undefined) return { check: (_, check) => check(), save: () => Promise.resolve() };
  const path = join(store.folder, `${createHash('sha256').update(source).digest('hex').slice(0, 32)}.json`);
  const text = await readFile(path, 'utf8').catch(() => '');
  let known: Readonly<Record<string, z.infer<typeof entry>>> = {};
  try {
    known = fileSchema.parse(JSON.parse(text)).images;
  } catch {
    // None, or of another version: everything is read.
  }
  const found: Record<string, z.infer<typeof entry>> = {};
  let bytesRead = 0;
  return {
    async check(file, check) {
      const before = await stateOf(file, store.now());
      const kept = Object.hasOwn(known, file) ? known[file] : undefined;
      if (kept !== undefined && kept[0] === before) {
        found[file] = kept;
        const [, digest, width, height] = kept;
        return { digest, width, height };
      }
      const checked = await check();
      if (before !== undefined) {
        found[file] = [before, checked.digest, checked.width, checked.height];
        bytesRead += Number(before.split(' ', 1)[0]);
      }
      return checked;
    },
    async save() {
      if (bytesRead === 0 || bytesRead < (store.leastBytes ?? LEAST_BYTES)) return;
      try {
        await mkdir(dirname(path), { recursive: true });
        // Other splits of the data set keep theirs.
        const images = { ...known, ...found };
        await writeFileAtomic(path, Buffer.from(JSON.stringify({ version: 1, images })));
      } catch {
        // A folder that cannot be written costs time alone.
      }
    },
  };
}

/** Reads the stored entries of a zip file, and believes nothing that it says about itself. */
import { crc32 } from 'node:zlib';
import { RandomAccessReader, fromRandomAccessReaderPromise, type Entry, type ZipFile } from 'yauzl';
import { SoftshardError, isSoftshardError, reasonOf } from '../errors.ts';
import type { ByteSource } from './byte-source.ts';

const STORED = 0;
const ENCRYPTED = 0x1;
const SIZES_FOLLOW_DATA = 0x8;
const IN_ZIP64_FIELD = 0xffffffff;
/** Entries at most: the largest models have a few thousand. */
const MAX_ENTRIES = 1_000_000;

export interface ZipEntries {
  /** Names in the order of the central directory. */
  readonly names: readonly string[];
  /** Size of an entry in bytes; undefined when there is none of that name. */
  sizeOf(name: string): number | undefined;
  /** The bytes of an entry, checked against its crc32, at offset 0 of their own buffer. */
  read(name: string): Promise<Uint8Array<ArrayBuffer>>;
}

interface Located {
  readonly name: string;
  readonly headerStart: number;
  readonly start: number;
  readonly size: number;
  readonly crc: number;
}

/** Bridges a ByteSource to the zip library; out-of-bounds reads become errors instead of exceptions. */
class SourceReader extends RandomAccessReader {
  readonly #source: ByteSource;

  constructor(source: ByteSource) {
    super();
    this.#source = source;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    this.#source.read(position, length).then(
      (bytes) => {
        buffer.set(bytes, offset);
        callback(null);
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error(reasonOf(error))),
    );
  }

  override close(callback: (error: Error | null) => void): void {
    setImmediate(callback, null); // whoever opened the source closes it
  }
}

const fail = (
  source: ByteSource,
  name: string | undefined,
  message: string,
  found?: string,
): SoftshardError =>
  new SoftshardError('E_WEIGHTS_FORMAT', {
    message,
    where: name === undefined ? source.name : `${source.name}, entry ${JSON.stringify(name)}`,
    ...(found === undefined ? {} : { found }),
  });

/** Finds the data of one entry, and compares what the two headers of the zip say about it. */
async function locate(zip: ZipFile, entry: Entry, source: ByteSource): Promise<Located> {
  const name = entry.fileName;
  if ((entry.generalPurposeBitFlag & ENCRYPTED) !== 0) throw fail(source, name, 'A zip entry is encrypted.');
  if (entry.compressionMethod !== STORED) {
    const found = `compression method ${entry.compressionMethod}`;
    throw fail(source, name, 'A zip entry is compressed; PyTorch stores its entries as they are.', found);
  }
  const local = await zip.readLocalFileHeaderPromise(entry, {});
  const size = entry.uncompressedSize;
  if (entry.compressedSize !== size) throw fail(source, name, 'A stored zip entry states two sizes.');
  const unstated = (value: number): boolean => value === IN_ZIP64_FIELD;
  const agrees =
    local.compressionMethod === STORED &&
    local.fileName.equals(entry.fileNameRaw) &&
    ((local.generalPurposeBitFlag & SIZES_FOLLOW_DATA) !== 0 ||
      ((local.compressedSize === size || unstated(local.compressedSize)) &&
        (local.uncompressedSize === size || unstated(local.uncompressedSize)) &&
        local.crc32 === entry.crc32));
  if (!agrees) throw fail(source, name, 'A zip entry is described differently in its two headers.');
  const headerStart = entry.relativeOffsetOfLocalHeader;
  return { name, headerStart, start: local.fileDataStart, size, crc: entry.crc32 };
}

/** Entries must not share bytes: a small file could otherwise pretend to hold a large one. */
function checkOverlaps(entries: Iterable<Located>, source: ByteSource): void {
  const byOffset = [...entries].sort((a, b) => a.headerStart - b.headerStart);
  let end = 0;
  for (const entry of byOffset) {
    if (entry.headerStart < end) throw fail(source, entry.name, 'Two zip entries overlap.');
    end = entry.start + entry.size;
  }
}

async function listEntries(source: ByteSource): Promise<Map<string, Located>> {
  const zip = await fromRandomAccessReaderPromise(new SourceReader(source), source.size, {
    autoClose: false,
  });
  const entries = new Map<string, Located>();
  if (zip.entryCount > MAX_ENTRIES) throw fail(source, undefined, 'A zip file lists too many entries.');
  for await (const entry of zip.eachEntry()) {
    const located = await locate(zip, entry, source);
    if (entries.has(located.name))
      throw fail(source, located.name, 'A zip file has two entries of one name.');
    entries.set(located.name, located);
  }
  checkOverlaps(entries.values(), source);
  return entries;
}

/**
 * Opens the zip file in `source` (ZIP64 included). Throws E_WEIGHTS_FORMAT when it is damaged, when an entry is
 * compressed, encrypted, doubled, overlapping or outside the file, and when the headers contradict each other.
 */
export async function openZipEntries(source: ByteSource): Promise<ZipEntries> {
  const entries = await listEntries(source).catch((error: unknown) => {
    if (isSoftshardError(error)) throw error;
    throw new SoftshardError('E_WEIGHTS_FORMAT', {
      message: 'A zip file is damaged or truncated.',
      where: source.name,
      found: reasonOf(error),
      remedy: 'Fetch the file again and compare its size.',
      cause: error,
    });
  });
  return {
    names: [...entries.keys()],
    sizeOf: (name) => entries.get(name)?.size,
    read: async (name) => {
      const entry = entries.get(name);
      if (entry === undefined) throw fail(source, name, 'A zip file lacks an entry that it needs.');
      const bytes = await source.read(entry.start, entry.size);
      const crc = crc32(bytes);
      if (crc !== entry.crc) throw fail(source, name, 'The bytes of a zip entry disagree with its crc32.');
      return bytes;
    },
  };
}

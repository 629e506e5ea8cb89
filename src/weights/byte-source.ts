/** Ranged reads of a file, or of bytes in memory, that never go out of bounds. */
import { open } from 'node:fs/promises';
import { SoftshardError } from '../errors.ts';
import { fileError } from '../flow/file-error.ts';

/** Bytes at most in one read call: below the limit of the operating system. */
const READ_BYTES = 2 ** 30;

export interface ByteSource {
  /** What errors call it: the file's path. */
  readonly name: string;
  readonly size: number;
  /** A fresh copy, at offset 0 of its own buffer. Throws E_WEIGHTS_FORMAT outside the source or when truncated. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

const checkRange = (source: { name: string; size: number }, offset: number, length: number): void => {
  const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(length);
  if (whole && offset >= 0 && length >= 0 && offset + length <= source.size) return;
  throw new SoftshardError('E_WEIGHTS_FORMAT', {
    message: 'A weight file refers to bytes that it does not have: it is truncated or damaged.',
    where: source.name,
    expected: `at most ${source.size} bytes`,
    found: `${length} bytes at offset ${offset}`,
    remedy: 'Fetch the file again and compare its size.',
  });
};

/** A source over bytes in memory, which are not copied until read. */
export const bytesSource = (bytes: Uint8Array, name: string): ByteSource => ({
  name,
  size: bytes.byteLength,
  read: (offset, length) =>
    Promise.resolve().then(() => {
      checkRange({ name, size: bytes.byteLength }, offset, length);
      return new Uint8Array(bytes.subarray(offset, offset + length));
    }),
});

/**
 * Opens `path`, hands it to `use` as a source, and closes it. Throws E_FILE when it is missing or no regular file.
 */
export async function withFileSource<T>(path: string, use: (source: ByteSource) => Promise<T>): Promise<T> {
  try {
    const handle = await open(path, 'r');
    try {
      const stat = await handle.stat();
      if (!stat.isFile()) {
        throw new SoftshardError('E_FILE', { message: 'A weight file must be a regular file.', where: path });
      }
      const source: ByteSource = {
        name: path,
        size: stat.size,
        read: async (offset, length) => {
          checkRange(source, offset, length);
          const bytes = new Uint8Array(length);
          let done = 0;
          while (done < length) {
            const count = Math.min(READ_BYTES, length - done);
            const { bytesRead } = await handle.read(bytes, done, count, offset + done);
            if (bytesRead === 0) checkRange({ name: path, size: offset + done }, offset, length);
            done += bytesRead;
          }
          return bytes;
        },
      };
      return await use(source);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw fileError(error, path, 'read');
  }
}

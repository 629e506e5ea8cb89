/** An image file in memory, and the words for what is wrong with one. */
import { readFile, stat } from 'node:fs/promises';
import { reasonOf, SoftshardError } from '../errors.ts';

/** Most pixels that an image may have: 64 MP (8192 x 8192). A compressed bomb is refused before it is unpacked. */
export const MAX_IMAGE_PIXELS = 67_108_864;

/** Largest image file that is read, bytes (512 MiB: 64 MP of 16-bit RGB and some). */
const MAX_FILE_BYTES = 536_870_912;

const REMEDY = 'Replace the file from its source, or leave it out (--bad-images drop).';

/** The E_IMAGE error of the file `name`; `cause` is what the decoder or the file system said. */
export function imageFailure(name: string, cause: unknown, remedy: string = REMEDY): SoftshardError {
  const lines = reasonOf(cause).split('\n');
  const said = [...new Set(lines.map((line) => line.trim()).filter((line) => line !== ''))].join('; ');
  // libvips gathers its details in one buffer for all threads, so that they may be another image's: what a warning
  // means is said in words of our own.
  const found = /treated as error|premature end|read error/.test(said)
    ? `damaged image data, or data that end too early (${said})`
    : said;
  return new SoftshardError('E_IMAGE', {
    message: 'An image cannot be decoded.',
    where: name,
    expected: 'a complete AVIF, GIF, JPEG, PNG, TIFF or WebP file of at most 64 million pixels',
    found,
    remedy,
    cause,
  });
}

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;

/**
 * The bytes of an image file. Throws E_IMAGE when it is missing, no file or larger than 512 MiB; E_FILE on any other
 * failure to read (permissions, too many open files, a bad disk), which says nothing about the image.
 */
export async function readImageBytes(file: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(file);
    if (size > MAX_FILE_BYTES) throw imageFailure(file, `${size} bytes, more than ${MAX_FILE_BYTES}`);
    return await readFile(file);
  } catch (error) {
    if (error instanceof SoftshardError) throw error;
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR' || code === 'ELOOP') {
      throw imageFailure(file, error);
    }
    throw new SoftshardError('E_FILE', {
      message: 'An image file cannot be read.',
      where: file,
      found: reasonOf(error),
      remedy: 'Check the permissions of the file and the health of the disk.',
      cause: error,
    });
  }
}

/**
 * Decoded images on disk, shared by runs: a file for each content, size and build of the decoder, uint8 RGB followed by
 * the first 8 bytes of its sha256. Nothing is written beside the user's images.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PixelSize } from '../data/rgb-image.ts';

const CHECK_BYTES = 8;

/** A folder of images, and how much may be added. */
export interface ImageFolder {
  readonly folder: string;
  /** Bytes of further images that may be written. */
  readonly room: number;
}

/** Bytes that an image takes on disk. */
export const heldSize = ({ width, height }: PixelSize): number => width * height * 3 + CHECK_BYTES;

const checkOf = (pixels: Uint8Array): Buffer =>
  createHash('sha256').update(pixels).digest().subarray(0, CHECK_BYTES);

/** Where the image with content `digest` (sha256, hex) lies at that size. */
const fileOf = (folder: string, digest: string, { width, height }: PixelSize): string =>
  join(folder, digest.slice(0, 2), `${digest}-${width}x${height}.rgb`);

/** The pixels of an image that is held whole; undefined where it is not. */
export async function readHeldImage(
  folder: string,
  digest: string,
  size: PixelSize,
): Promise<SharedArrayBuffer | undefined> {
  const bytes = size.width * size.height * 3;
  const content = await readFile(fileOf(folder, digest, size)).catch(() => undefined);
  if (content?.length !== bytes + CHECK_BYTES) return undefined;
  const pixels = content.subarray(0, bytes);
  if (!checkOf(pixels).equals(content.subarray(bytes))) return undefined;
  const shared = new SharedArrayBuffer(bytes);
  new Uint8Array(shared).set(pixels);
  return shared;
}

/** Writes an image; returns the bytes written, 0 where the disk does not take them: a cache is no reason to fail. */
export async function holdImage(
  folder: string,
  digest: string,
  size: PixelSize,
  shared: SharedArrayBuffer,
): Promise<number> {
  const file = fileOf(folder, digest, size);
  const temporary = `${file}.${process.pid}-${Math.trunc(performance.now() * 1000)}.partial`;
  const pixels = new Uint8Array(shared);
  try {
    await mkdir(join(folder, digest.slice(0, 2)), { recursive: true });
    await writeFile(temporary, Buffer.concat([pixels, checkOf(pixels)]), { flag: 'wx' });
    await rename(temporary, file);
    return heldSize(size);
  } catch {
    await unlink(temporary).catch(() => undefined);
    return 0;
  }
}

/** Bytes of the files in a folder of images; 0 where there is none. */
export async function heldBytes(folder: string): Promise<number> {
  let sum = 0;
  for (const part of await readdir(folder).catch(() => [])) {
    const names = await readdir(join(folder, part)).catch(() => []);
    const sizes = await Promise.all(
      names.map((name) =>
        stat(join(folder, part, name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
    );
    sum += sizes.reduce((a, b) => a + b, 0);
  }
  return sum;
}

/** The digest that tells whether two machines saw the same pixels. */
import { createHash } from 'node:crypto';

/** The first 8 bytes of the sha256 of `pixels` (uint8 RGB, row by row), as 16 hex digits. */
export const pixelDigest = (pixels: Uint8Array): string =>
  createHash('sha256').update(pixels).digest('hex').slice(0, 16);

/** A manifest with one damaged byte is found again by its own digest: nothing else states what it says. */
import { decodeManifest } from './manifest.ts';
import { sha256Hex } from './document.ts';
import { refuseAborted } from './abort.ts';
import { MANIFEST_NAME } from './formats.ts';
import { createHash } from 'node:crypto';

/** Where a document states its own digest. */
const DIGEST_AT = 14;
const DIGEST_BYTES = 64;

/** Bytes that JSON text of ours consists of, as a rule. */
const TEXT = [0x0a, ...Array.from({ length: 95 }, (_, i) => 0x20 + i)];

function* otherBytes(byte: number): Generator<number> {
  for (let bit = 0; bit < 8; bit++) yield byte ^ (1 << bit);
  yield* TEXT;
}

/** The content whose digest field `stated` is right once one byte at or behind `from` is another. */
function substituted(content: Buffer, stated: string, signal?: AbortSignal): Uint8Array | undefined {
  const blank = Buffer.from(content);
  blank.fill('0', DIGEST_AT, DIGEST_AT + DIGEST_BYTES);
  const tail = (at: number): Buffer => blank.subarray(at + 1);
  const prefix = createHash('sha256');
  for (let at = 0; at < blank.byteLength; at++) {
    refuseAborted(signal, MANIFEST_NAME);
    const isDigest = at >= DIGEST_AT && at < DIGEST_AT + DIGEST_BYTES;
    for (const byte of isDigest ? [] : otherBytes(content.readUInt8(at))) {
      if (prefix.copy().update(Buffer.of(byte)).update(tail(at)).digest('hex') !== stated) continue;
      const mended = Buffer.from(content);
      mended.writeUInt8(byte, at);
      return mended;
    }
    prefix.update(blank.subarray(at, at + 1));
  }
  return undefined;
}

/** The content with the digest that its other bytes have, where the one stated differs from it in one place. */
function restated(content: Buffer, stated: string): Uint8Array | undefined {
  const blank = Buffer.from(content);
  blank.fill('0', DIGEST_AT, DIGEST_AT + DIGEST_BYTES);
  const right = sha256Hex(blank);
  const differing = Array.from(right).filter((digit, i) => digit !== stated[i]).length;
  if (differing !== 1) return undefined;
  blank.write(right, DIGEST_AT, 'latin1');
  return blank;
}

/**
 * The manifest as it was before one of its bytes changed, or undefined where more is damaged. `sha256` is what SEAL
 * states about the file, where that is known. A manifest of some kilobytes takes a few seconds.
 */
export function mendManifest(
  content: Uint8Array,
  sha256: string | undefined,
  signal?: AbortSignal,
): Uint8Array | undefined {
  const bytes = Buffer.from(content);
  if (bytes.byteLength <= DIGEST_AT + DIGEST_BYTES) return undefined;
  const stated = bytes.toString('latin1', DIGEST_AT, DIGEST_AT + DIGEST_BYTES);
  for (const mended of [restated(bytes, stated), substituted(bytes, stated, signal)]) {
    if (mended === undefined || (sha256 !== undefined && sha256Hex(mended) !== sha256)) continue;
    try {
      decodeManifest(mended);
      return mended;
    } catch {
      // A digest that is right by chance of the field that states it.
    }
  }
  return undefined;
}

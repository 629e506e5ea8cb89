/** The teacher's answer to one view: a map of named blobs. Nothing here knows of heads, boxes or images. */
import { SoftshardError } from '../errors.ts';

/** What one value of a blob is. */
export type BlobDtype = 'float32' | 'uint8';

/** A dense float32 array in C order with its shape; what goes into a codec and comes out of it. */
export interface FloatBlob {
  readonly dtype?: 'float32';
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A dense uint8 array in C order with its shape: pixels and the like, kept bit for bit. */
export interface ByteBlob {
  readonly dtype: 'uint8';
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** A named array; `dtype` is float32 when it is not said. */
export type Blob = FloatBlob | ByteBlob;

/** Answers to one view by name (`head.0`, `feature.17`, `nms`, ...), and who they answer. */
export interface Target {
  readonly sample: number;
  readonly view: number;
  /** Digest of what the teacher saw; the reader compares it with its own input's. */
  readonly inputDigest: string;
  /** The realised view, opaque to the cache: plain JSON-able data. */
  readonly record: unknown;
  readonly blobs: ReadonlyMap<string, Blob>;
}

/** The dtype of a blob, float32 by default. */
export const dtypeOf = (blob: Blob): BlobDtype => blob.dtype ?? 'float32';

/** Number of values that a shape holds; 1 for a scalar's empty shape. */
export const elementsOf = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

const missing = (target: Target, name: string, dtype: BlobDtype): SoftshardError =>
  new SoftshardError('E_CACHE_INCOMPLETE', {
    message: `A target lacks the ${dtype} blob that is asked of it.`,
    expected: name,
    found: [...target.blobs].map(([key, blob]) => `${key} (${dtypeOf(blob)})`).join(', ') || 'no blobs',
    where: `sample ${target.sample}, view ${target.view}`,
  });

/** The float32 blob of that name. Throws E_CACHE_INCOMPLETE where there is none. */
export function floatBlob(target: Target, name: string): FloatBlob {
  const blob = target.blobs.get(name);
  if (blob === undefined || blob.dtype === 'uint8') throw missing(target, name, 'float32');
  return blob;
}

/** The uint8 blob of that name. Throws E_CACHE_INCOMPLETE where there is none. */
export function byteBlob(target: Target, name: string): ByteBlob {
  const blob = target.blobs.get(name);
  if (blob?.dtype !== 'uint8') throw missing(target, name, 'uint8');
  return blob;
}

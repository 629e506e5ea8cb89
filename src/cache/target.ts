/** The teacher's answer to one view: a map of named blobs. Nothing here knows of heads, boxes or images. */

/** A dense float32 array in C order with its shape; what goes into a codec and comes out of it. */
export interface Blob {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

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

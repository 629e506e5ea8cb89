/** A foreign model as a teacher sees it, whatever runs it. */
import type { GraphDescription } from './graph-description.ts';

/** A batch of one tensor's values, in C order. */
export interface GraphTensor {
  /** With the batch first. */
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** A tensor to be handed out; `axes` is the order of its axes, as they are by default. */
export interface AskedTensor {
  readonly tensor: string;
  readonly axes?: readonly number[] | undefined;
}

/** A model that is ready to run. */
export interface GraphSession {
  /**
   * Runs images ([side, side, 3] uint8 RGB each; a full batch where the graph fixes it) and gives the first `count` of
   * the tensors that the session was opened with. Throws E_ENGINE when the runtime fails.
   */
  run(images: readonly Uint8Array[], side: number, count: number): Promise<readonly GraphTensor[]>;
  close(): Promise<void>;
}

export interface GraphFile {
  readonly format: 'onnx' | 'tfjs';
  readonly description: GraphDescription;
  /** sha256 of the file or files, hex. */
  readonly digest: string;
  /** Images a run, where the graph fixes them. */
  readonly batch: number | undefined;
  /** Side of the images, pixels, where the graph fixes it. */
  readonly side: number | undefined;
  /** Class names, where the file has them. */
  readonly names: readonly string[] | undefined;
  /** Where channels stand in its activations. */
  readonly channels: 'first' | 'last';
  /** What runs it and decides its last bits, for the provenance. */
  readonly runtime: Readonly<Record<string, string | number>>;
  /** Throws E_ENGINE when the runtime refuses the graph. */
  open(tensors: readonly AskedTensor[]): Promise<GraphSession>;
}

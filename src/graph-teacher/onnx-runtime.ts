/** `onnxruntime-node`, which a project installs where it wants ONNX teachers. */
import { SoftshardError } from '../errors.ts';

/** The version that Softshard is tested with. */
export const ONNX_RUNTIME_VERSION = '1.30.0';

export interface OrtTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: unknown;
}

export interface OrtSession {
  run(feeds: Record<string, OrtTensor>, fetches: readonly string[]): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
}

/** As much of its interface as is used. */
export interface OnnxRuntime {
  readonly env: { readonly versions: { readonly node?: string } };
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => OrtTensor;
  readonly InferenceSession: {
    create(file: Uint8Array, options: Record<string, unknown>): Promise<OrtSession>;
  };
}

/** Loads it. Throws E_ENGINE with the command that installs it. */
export async function loadOnnxRuntime(): Promise<OnnxRuntime> {
  try {
    // Not a literal: the package is optional, and the compiler must not want its types.
    const name: string = 'onnxruntime-node';
    const loaded = (await import(name)) as { readonly default?: OnnxRuntime } & OnnxRuntime;
    return loaded.default ?? loaded;
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND';
    throw new SoftshardError('E_ENGINE', {
      message: missing
        ? 'An ONNX teacher needs the package onnxruntime-node, which is not installed.'
        : 'The package onnxruntime-node cannot be loaded on this machine.',
      where: 'onnxruntime-node',
      remedy: `Run npm install onnxruntime-node@${ONNX_RUNTIME_VERSION} --onnxruntime-node-install=skip (the CPU is enough), or use the .pt file of the teacher.`,
      cause,
    });
  }
}

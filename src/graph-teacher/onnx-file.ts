/** An ONNX file that `onnxruntime-node` runs, with any intermediate tensor as an output. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { writePlanarPixels } from '../data/unit-pixels.ts';
import { reasonOf, SoftshardError } from '../errors.ts';
import { fileError } from '../flow/file-error.ts';
import { classNamesIn } from './class-names-in.ts';
import type { AskedTensor, GraphFile, GraphSession, GraphTensor } from './graph-file.ts';
import { readOnnx, type OnnxInput, type OnnxModel } from './onnx-model.ts';
import { withOutputs, type WantedTensor } from './onnx-outputs.ts';
import { loadOnnxRuntime, type OnnxRuntime, type OrtTensor } from './onnx-runtime.ts';

/** The one input [N, 3, S, S]. Throws E_WEIGHTS_FORMAT for any other. */
function imageInput({ inputs }: OnnxModel, where: string): OnnxInput {
  const [input] = inputs;
  const [, channels, height, width] = input?.dims ?? [];
  const fits =
    inputs.length === 1 &&
    input?.isFloat32 === true &&
    input.dims.length === 4 &&
    (channels ?? 3) === 3 &&
    height === width;
  if (fits) return input;
  const text = ({ name, dims, isFloat32 }: OnnxInput): string =>
    `${name} ${isFloat32 ? 'float32' : 'of another type'} [${dims.map((size) => size ?? '?').join(', ')}]`;
  throw new SoftshardError('E_WEIGHTS_FORMAT', {
    message: 'The ONNX file does not take images as a detector does.',
    where,
    expected: 'one input of float32 [N, 3, S, S]',
    found: inputs.map(text).join(', ') || 'no input',
    remedy: 'Export it with square images and in float32 (not in half precision).',
  });
}

const refused = (what: string, where: string, cause: unknown): SoftshardError =>
  new SoftshardError('E_ENGINE', { message: what, where, found: reasonOf(cause), cause });

function floatTensor(name: string, { type, dims, data }: OrtTensor, where: string): GraphTensor {
  if (data instanceof Float32Array) return { shape: dims, values: data };
  throw new SoftshardError('E_WEIGHTS_FORMAT', {
    message: 'A tensor of the ONNX file is not float32.',
    where: `${where}, ${name}`,
    expected: 'float32',
    found: type,
  });
}

/**
 * Reads an ONNX file. Throws E_FILE, E_WEIGHTS_FORMAT; E_ENGINE without `onnxruntime-node`.
 *
 * @param threads Threads of the runtime.
 */
export async function openOnnxFile(path: string, threads: number): Promise<GraphFile> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw fileError(error, path, 'read');
  });
  const model = readOnnx(bytes, path);
  const input = imageInput(model, path);
  const names = model.metadata.get('names');
  const runtime: OnnxRuntime = await loadOnnxRuntime();

  const open = async (tensors: readonly AskedTensor[]): Promise<GraphSession> => {
    const wanted = tensors.map(({ tensor, axes }, i): WantedTensor => {
      return { tensor, axes, output: axes === undefined ? tensor : `softshard.${i}` };
    });
    const session = await runtime.InferenceSession.create(withOutputs(bytes, model.outputs, wanted), {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      // Warnings of the exporter's leftovers are none of a user's business.
      logSeverityLevel: 3,
    }).catch((error: unknown) => {
      throw refused('onnxruntime-node refuses the ONNX file.', path, error);
    });
    return {
      run: async (images, side, count) => {
        const pixels = new Float32Array(images.length * side * side * 3);
        images.forEach((image, i) => writePlanarPixels(image, pixels, i));
        const x = new runtime.Tensor('float32', pixels, [images.length, 3, side, side]);
        const fetches = wanted.slice(0, count).map(({ output }) => output);
        const results = await session.run({ [input.name]: x }, fetches).catch((error: unknown) => {
          throw refused('onnxruntime-node could not run the ONNX file.', path, error);
        });
        return fetches.map((name) => {
          const result = results[name];
          if (result === undefined) throw new Error(`onnxruntime-node gave no ${name}`);
          return floatTensor(name, result, path);
        });
      },
      close: () => session.release(),
    };
  };

  return {
    format: 'onnx',
    description: model,
    digest: createHash('sha256').update(bytes).digest('hex'),
    batch: input.dims[0],
    side: input.dims[2],
    names: names === undefined ? undefined : classNamesIn(names),
    channels: 'first',
    runtime: {
      engine: 'onnxruntime',
      onnxruntime: runtime.env.versions.node ?? 'unknown',
      ...{ device: 'cpu', threads },
    },
    open,
  };
}

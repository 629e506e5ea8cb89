/** Tells ONNX files and graph models from weights. */
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';

const isFile = async (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

/** An ONNX file begins with its version (field 1, a small number) and goes on with text; safetensors have `{` at 8. */
async function beginsAsOnnx(path: string): Promise<boolean> {
  const handle = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(9), 0, 9, 0);
    return bytesRead === 9 && buffer[0] === 0x08 && (buffer[1] ?? 0) < 0x20 && buffer[8] !== 0x7b;
  } finally {
    await handle.close();
  }
}

/** `tfjs` for a model.json or a folder with one, `onnx` for an ONNX file, undefined for anything else. */
export async function graphFormat(path: string): Promise<'onnx' | 'tfjs' | undefined> {
  if (path.endsWith('model.json') || (await isFile(join(path, 'model.json')))) return 'tfjs';
  if (path.endsWith('.onnx')) return 'onnx';
  return (await isFile(path)) && (await beginsAsOnnx(path)) ? 'onnx' : undefined;
}

/** Takes from the wheels (zips) the shared libraries, their notices and the few headers of TensorFlow's C API. */
import { chmodSync, createWriteStream, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openPromise } from 'yauzl';

/** Where each part of the wheel goes, relative to the destination; a trailing slash takes a folder. */
const WANTED: readonly (readonly [from: string, to: string])[] = [
  ['tensorflow/libtensorflow_cc.so.2', 'lib/libtensorflow_cc.so.2'],
  ['tensorflow/libtensorflow_framework.so.2', 'lib/libtensorflow_framework.so.2'],
  ['tensorflow/libtensorflow_cc.2.dylib', 'lib/libtensorflow_cc.2.dylib'],
  ['tensorflow/libtensorflow_framework.2.dylib', 'lib/libtensorflow_framework.2.dylib'],
  ['tensorflow/THIRD_PARTY_NOTICES.txt', 'THIRD_PARTY_NOTICES.txt'],
  ['tensorflow/include/LICENSE', 'LICENSE'],
  ['tensorflow/include/tensorflow/c/', 'include/tensorflow/c/'],
  // kernels.h includes one header of this folder.
  [
    'tensorflow/include/tensorflow/core/common_runtime/next_pluggable_device/c/',
    'include/tensorflow/core/common_runtime/next_pluggable_device/c/',
  ],
  ['tensorflow/include/tensorflow/core/platform/', 'include/tensorflow/core/platform/'],
  ['tensorflow/include/tsl/platform/', 'include/tsl/platform/'],
  ['tensorflow/include/xla/tsl/c/', 'include/xla/tsl/c/'],
];

/** The path an entry is written to, relative to the destination; undefined when it is not wanted. */
const targetOf = (entry: string): string | undefined => {
  if (entry.endsWith('/')) return undefined;
  for (const [from, to] of WANTED) {
    if (entry === from) return to;
    if (from.endsWith('/') && entry.startsWith(from) && entry.endsWith('.h'))
      return to + entry.slice(from.length);
  }
  return undefined;
};

/** Folder of CUDA's libraries in an engine: TensorFlow looks for them in `../nvidia/NAME/lib` beside its own. */
export const CUDA_FOLDER = 'nvidia';

/**
 * The path that an entry of one of NVIDIA's wheels is written to: shared libraries, the assembler and the device code
 * that XLA asks for, and the licence; headers and static libraries are not wanted.
 */
const cudaTargetOf = (entry: string): string | undefined => {
  if (/^nvidia\/[^/]+\/lib\/[^/]+\.so[.\d]*$/.test(entry)) return entry;
  if (/^nvidia\/cuda_nvcc\/(bin|nvvm\/(lib64|libdevice))\/[^/]+$/.test(entry)) return entry;
  const licence = /^([^/]+)\.dist-info\/(?:licenses\/)?License\.txt$/i.exec(entry)?.[1];
  return licence === undefined ? undefined : `${CUDA_FOLDER}/licences/${licence}.txt`;
};

const unpack = async (
  path: string,
  folder: string,
  where: (entry: string) => string | undefined,
  signal: AbortSignal | undefined,
): Promise<void> => {
  const zip = await openPromise(path, { lazyEntries: true, autoClose: true });
  for await (const entry of zip.eachEntry()) {
    const target = where(entry.fileName);
    if (target === undefined) continue;
    const file = join(folder, target);
    mkdirSync(dirname(file), { recursive: true });
    await pipeline(
      await zip.openReadStreamPromise(entry),
      createWriteStream(file),
      signal === undefined ? {} : { signal },
    );
    if (dirname(target).endsWith('/bin')) chmodSync(file, 0o755);
  }
};

/**
 * Unpacks what is wanted of TensorFlow's wheel `path` into `folder`. Streams: memory does not depend on the wheel's
 * size. yauzl refuses entries that leave the folder and sizes that disagree with the directory.
 */
export const unpackWheel = (path: string, folder: string, signal?: AbortSignal): Promise<void> =>
  unpack(path, folder, targetOf, signal);

/** Unpacks what is wanted of one of NVIDIA's wheels into the folder of an engine. */
export const unpackCudaWheel = (path: string, folder: string, signal?: AbortSignal): Promise<void> =>
  unpack(path, folder, cudaTargetOf, signal);

/** Takes from the wheel (a zip) the two shared libraries, their notices and the few headers of the C API. */
import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openPromise } from 'yauzl';

/** Where each part of the wheel goes, relative to the destination; a trailing slash takes a folder. */
const WANTED: readonly (readonly [from: string, to: string])[] = [
  ['tensorflow/libtensorflow_cc.so.2', 'lib/libtensorflow_cc.so.2'],
  ['tensorflow/libtensorflow_framework.so.2', 'lib/libtensorflow_framework.so.2'],
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

/**
 * Unpacks what is wanted of the wheel `path` into `folder`. Streams: memory does not depend on the wheel's size.
 * yauzl refuses entries that leave the folder and sizes that disagree with the directory.
 */
export const unpackWheel = async (path: string, folder: string, signal?: AbortSignal): Promise<void> => {
  const zip = await openPromise(path, { lazyEntries: true, autoClose: true });
  for await (const entry of zip.eachEntry()) {
    const target = targetOf(entry.fileName);
    if (target === undefined) continue;
    const file = join(folder, target);
    mkdirSync(dirname(file), { recursive: true });
    await pipeline(
      await zip.openReadStreamPromise(entry),
      createWriteStream(file),
      signal === undefined ? {} : { signal },
    );
  }
};

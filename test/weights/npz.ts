/** Reads NumPy's `.npz`: a zip of `.npy` files. */
import { withFileSource } from '../../src/weights/byte-source.ts';
import { openZipEntries } from '../../src/weights/zip-entries.ts';
import { readNpy, type NpyArray } from '../reference.ts';

/** The arrays of the file by name, in order. */
export const readNpz = (path: string): Promise<Map<string, NpyArray>> =>
  withFileSource(path, async (source) => {
    const zip = await openZipEntries(source);
    const arrays = new Map<string, NpyArray>();
    for (const name of zip.names) {
      arrays.set(name.replace(/\.npy$/, ''), readNpy(Buffer.from(await zip.read(name))));
    }
    return arrays;
  });

/** Writes weights as a `.pt` state dict that PyTorch loads with `weights_only=True`. */
import type { StateDict } from '../model/tensor-data.ts';
import { writeFileAtomic } from '../flow/atomic-file.ts';
import { pickleStateDict } from './pickle-writer.ts';
import { tensorBytes } from './tensor-bytes.ts';
import { zipChunks, type ZipEntryData } from './zip-writer.ts';

/** The folder inside the file; the same for every file, so that equal weights give equal bytes. */
const FOLDER = 'archive';

/** The pieces of the file, in order: a function of the tensors alone. Throws E_EXPORT beyond 4 GiB. */
export function encodePt(state: StateDict): Uint8Array[] {
  const tensors = [...state].map(([name, tensor], i) => ({ name, ...tensor, key: String(i) }));
  const entries: ZipEntryData[] = [
    { name: `${FOLDER}/data.pkl`, data: pickleStateDict(tensors) },
    { name: `${FOLDER}/byteorder`, data: Buffer.from('little') },
    ...tensors.map((tensor) => ({ name: `${FOLDER}/data/${tensor.key}`, data: tensorBytes(tensor) })),
    { name: `${FOLDER}/version`, data: Buffer.from('3\n') },
  ];
  return zipChunks(entries);
}

/** Writes `state` to `path`, atomically, in the order and dtypes given. Throws E_EXPORT, E_FILE, E_DISK_FULL. */
export const writePt = (path: string, state: StateDict): Promise<void> =>
  writeFileAtomic(path, encodePt(state));

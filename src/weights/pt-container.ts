/** The two containers of PyTorch: the zip file, and the older stream of pickles. */
import { SoftshardError } from '../errors.ts';
import type { ByteSource } from './byte-source.ts';
import type { PickleMachine } from './pickle-machine.ts';
import { PICKLE_LIMITS } from './pickle-machine.ts';
import { PickleGlobal, PickleTuple, StorageRef, kindOf, type PickleValue } from './pickle-value.ts';
import { unpickle } from './pickle.ts';
import { ELEMENT_BYTES } from './tensor-bytes.ts';
import { openZipEntries } from './zip-entries.ts';

export interface PtContainer {
  /** What was saved. */
  readonly root: PickleValue;
  readonly littleEndian: boolean;
  /** The raw bytes of a storage, as stored. */
  readStorage(storage: StorageRef): Promise<Uint8Array<ArrayBuffer>>;
}

/** Elements of an untyped storage are bytes. */
export const storageElementBytes = ({ dtype }: StorageRef): number =>
  dtype === 'untyped' ? 1 : ELEMENT_BYTES[dtype];

const isCount = (value: PickleValue | undefined): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

/** ('storage', class, key, location, count) and, in a stream, (view key, offset, count) or None. */
export function storageReference(id: PickleValue, machine: PickleMachine): StorageRef {
  const items = id instanceof PickleTuple ? id.items : [];
  const [tag, type, key, , count, view] = items;
  const window = view instanceof PickleTuple ? { offset: view.items[1], count: view.items[2] } : undefined;
  if (
    tag !== 'storage' ||
    !(type instanceof PickleGlobal) ||
    type.role.kind !== 'storage' ||
    typeof key !== 'string' ||
    !isCount(count)
  ) {
    throw machine.failure('A pickle refers to a storage in a way that PyTorch does not.', kindOf(id));
  }
  if (window === undefined) return new StorageRef(key, type.role.dtype, count);
  if (!isCount(window.offset) || !isCount(window.count) || window.offset + window.count > count) {
    throw machine.failure('A pickle refers to a part of a storage that lies outside it.', key);
  }
  return new StorageRef(key, type.role.dtype, count, { offset: window.offset, count: window.count });
}

const decodeText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1').trim();

/** Opens the zip container. Throws E_WEIGHTS_FORMAT or E_WEIGHTS_UNSAFE. */
export async function openPtZip(source: ByteSource): Promise<PtContainer> {
  const zip = await openZipEntries(source);
  const pickles = zip.names.filter((name) => name.endsWith('/data.pkl'));
  const [entry] = pickles;
  if (entry === undefined || pickles.length > 1) {
    throw new SoftshardError('E_WEIGHTS_FORMAT', {
      message: 'A zip file is no PyTorch checkpoint.',
      where: source.name,
      expected: 'one entry named */data.pkl',
      found: `${pickles.length} of them among ${zip.names.length} entries`,
    });
  }
  if ((zip.sizeOf(entry) ?? 0) > PICKLE_LIMITS.bytes) {
    throw new SoftshardError('E_WEIGHTS_FORMAT', {
      message: 'The pickle of a checkpoint is larger than is accepted.',
      where: `${source.name}, ${entry}`,
      expected: `at most ${PICKLE_LIMITS.bytes} bytes`,
      found: `${zip.sizeOf(entry) ?? 0} bytes`,
    });
  }
  const folder = entry.slice(0, -'data.pkl'.length);
  const order = zip.sizeOf(`${folder}byteorder`) === undefined ? undefined : `${folder}byteorder`;
  const byteOrder = order === undefined ? 'little' : decodeText(await zip.read(order));
  if (byteOrder !== 'little' && byteOrder !== 'big') {
    throw new SoftshardError('E_WEIGHTS_FORMAT', {
      message: 'A checkpoint states an unknown byte order.',
      where: source.name,
      expected: 'little or big',
      found: byteOrder.slice(0, 40),
    });
  }
  const { value } = unpickle(await zip.read(entry), {
    where: `${source.name}, ${entry}`,
    persistentLoad: (id, machine) => {
      const storage = storageReference(id, machine);
      if (storage.view !== undefined) throw machine.failure('A zip checkpoint has no parts of storages.');
      return storage;
    },
  });
  return {
    root: value,
    littleEndian: byteOrder === 'little',
    readStorage: async (storage) => {
      const name = `${folder}data/${storage.key}`;
      const expected = storage.count * storageElementBytes(storage);
      const size = zip.sizeOf(name);
      if (size !== expected) {
        throw new SoftshardError('E_WEIGHTS_FORMAT', {
          message: 'A storage of a checkpoint is missing or of another size than its tensors say.',
          where: `${source.name}, ${name}`,
          expected: `${expected} bytes`,
          found: size === undefined ? 'no such entry' : `${size} bytes`,
        });
      }
      return zip.read(name);
    },
  };
}

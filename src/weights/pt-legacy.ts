/** The container of PyTorch before 1.6: five pickles, then the storages one after another. */
import { SoftshardError } from '../errors.ts';
import type { ByteSource } from './byte-source.ts';
import type { PickleMachine } from './pickle-machine.ts';
import { PickleGlobal, PickleTuple, StorageRef, kindOf, type PickleValue } from './pickle-value.ts';
import { unpickle } from './pickle.ts';
import { storageElementBytes, storageReference, type PtContainer } from './pt-container.ts';

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;
/** The first bytes of such a file: PROTO 2, then LONG1 with ten bytes, the magic number. */
export const LEGACY_PREFIX = Uint8Array.of(
  ...[0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19],
);
/** The stream has no index, so it is read whole. */
const MAX_BYTES = 2 ** 31;

/** Opens the stream. Throws E_WEIGHTS_FORMAT or E_WEIGHTS_UNSAFE. */
export async function openPtLegacy(source: ByteSource): Promise<PtContainer> {
  const refuse = (message: string, found?: string): SoftshardError =>
    new SoftshardError('E_WEIGHTS_FORMAT', {
      message,
      where: source.name,
      ...(found === undefined ? {} : { found }),
    });
  if (source.size > MAX_BYTES) throw refuse('A checkpoint of the old format is larger than 2 GiB.');
  const bytes = await source.read(0, source.size);
  const storages = new Map<string, StorageRef>();
  const persistentLoad = (id: PickleValue, machine: PickleMachine): PickleValue => {
    // A class with its source text: ('module', class, file, text). The class alone is of interest.
    const items = id instanceof PickleTuple ? id.items : [];
    if (items[0] === 'module' && items[1] instanceof PickleGlobal) return items[1];
    const storage = storageReference(id, machine);
    const known = storages.get(storage.key);
    if (known !== undefined && (known.dtype !== storage.dtype || known.count !== storage.count)) {
      throw machine.failure('A pickle describes one storage in two ways.', storage.key);
    }
    storages.set(storage.key, storage);
    return storage;
  };
  let at = 0;
  const next = (part: string, load?: typeof persistentLoad): PickleValue => {
    const where = `${source.name}, ${part}`;
    const { value, end } = unpickle(bytes, {
      where,
      start: at,
      ...(load === undefined ? {} : { persistentLoad: load }),
    });
    at = end;
    return value;
  };

  const magic = next('magic number');
  if (magic !== MAGIC) throw refuse('A pickle is no PyTorch checkpoint: its magic number is another.');
  const protocol = next('protocol version');
  if (protocol !== PROTOCOL) throw refuse('A checkpoint has an unknown protocol version.', kindOf(protocol));
  const system = next('system information');
  const littleEndian = !(system instanceof Map && system.get('little_endian') === false);
  const root = next('object', persistentLoad);
  const keys = next('storage keys');
  if (!Array.isArray(keys)) throw refuse('A checkpoint does not list its storages.', kindOf(keys));

  const ranges = new Map<string, { start: number; end: number }>();
  const view = new DataView(bytes.buffer);
  for (const key of keys) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (typeof key !== 'string' || storage === undefined || ranges.has(key)) {
      throw refuse('A checkpoint lists a storage that it does not use, or lists it twice.');
    }
    if (at + 8 > bytes.byteLength) throw refuse('A checkpoint is truncated.');
    const count = Number(view.getBigInt64(at, littleEndian));
    const start = at + 8;
    const end = start + storage.count * storageElementBytes(storage);
    if (count !== storage.count) {
      throw refuse('A storage is of another size than its tensors say.', `${key}: ${count} elements`);
    }
    if (end > bytes.byteLength) throw refuse('A checkpoint is truncated.');
    ranges.set(key, { start, end });
    at = end;
  }
  return {
    root,
    littleEndian,
    readStorage: (storage) =>
      Promise.resolve().then(() => {
        const range = ranges.get(storage.key);
        if (range === undefined) throw refuse('A checkpoint lacks a storage.', storage.key);
        const size = storageElementBytes(storage);
        const start = range.start + (storage.view?.offset ?? 0) * size;
        return bytes.slice(start, start + (storage.view?.count ?? storage.count) * size);
      }),
  };
}

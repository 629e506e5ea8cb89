/** Puts pickles and checkpoints together by hand, for the tests. */
import { zipChunks } from '../../src/weights/zip-writer.ts';

/** Joins opcodes given as text (latin-1) or bytes. */
export const assemble = (...parts: (string | readonly number[])[]): Buffer =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))),
  );

/** BINUNICODE. */
export const text = (value: string): string => {
  const bytes = Buffer.from(value, 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.byteLength);
  return `X${length.toString('latin1')}${bytes.toString('latin1')}`;
};

/** BININT. */
export const int = (value: number): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return `J${bytes.toString('latin1')}`;
};

export const PROTO2 = '\x80\x02';
export const ORDERED_DICT = 'ccollections\nOrderedDict\n)R';

export interface TensorSpec {
  readonly key?: string;
  readonly type?: string;
  readonly count: number;
  readonly offset?: number;
  readonly size: readonly number[];
  readonly stride: readonly number[];
}

/** The opcodes of one tensor. */
export const tensorOpcodes = (spec: TensorSpec): string => {
  const { key = '0', type = 'FloatStorage', count, offset = 0, size, stride } = spec;
  const tuple = (values: readonly number[]): string => `(${values.map(int).join('')}t`;
  const storage = `(${text('storage')}ctorch\n${type}\n${text(key)}${text('cpu')}${int(count)}tQ`;
  const args = `(${storage}${int(offset)}${tuple(size)}${tuple(stride)}\x89${ORDERED_DICT}t`;
  return `ctorch._utils\n_rebuild_tensor_v2\n${args}R`;
};

/** A state dict of tensors by name. */
export const stateDictPickle = (tensors: Readonly<Record<string, TensorSpec>>): Buffer =>
  assemble(
    PROTO2,
    ORDERED_DICT,
    '(',
    ...Object.entries(tensors).map(([name, spec]) => text(name) + tensorOpcodes(spec)),
    'u.',
  );

/** A zip checkpoint of a pickle and storages by key. */
export const zipCheckpoint = (
  pickle: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = {},
  more: Readonly<Record<string, string>> = {},
): Buffer =>
  Buffer.concat(
    zipChunks([
      { name: 'x/data.pkl', data: pickle },
      ...Object.entries(storages).map(([key, data]) => ({ name: `x/data/${key}`, data })),
      ...Object.entries(more).map(([name, data]) => ({ name: `x/${name}`, data: Buffer.from(data) })),
      { name: 'x/version', data: Buffer.from('3\n') },
    ]),
  );

export const floatBytes = (...values: number[]): Uint8Array =>
  new Uint8Array(Float32Array.from(values).buffer);

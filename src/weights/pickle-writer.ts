/** Writes the pickle of a state dict, in protocol 2, with the opcodes that PyTorch's restricted loader accepts. */
import type { DType } from '../model/tensor-data.ts';

/** One entry of the state dict: a contiguous tensor that is the whole of storage `key`. */
export interface PickledTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly key: string;
}

const STORAGE: Readonly<Record<DType, string>> = {
  float64: 'DoubleStorage',
  float32: 'FloatStorage',
  float16: 'HalfStorage',
  bfloat16: 'BFloat16Storage',
  int64: 'LongStorage',
  int32: 'IntStorage',
  int16: 'ShortStorage',
  int8: 'CharStorage',
  uint8: 'ByteStorage',
  bool: 'BoolStorage',
};

const MARK = Buffer.from('(');
const TUPLE = Buffer.from('t');
const REDUCE = Buffer.from('R');
const FALSE = Buffer.of(0x89);
const ORDERED_DICT = Buffer.from('ccollections\nOrderedDict\n');
const EMPTY_ORDERED_DICT = Buffer.concat([ORDERED_DICT, Buffer.from(')R')]);
const REBUILD = Buffer.from('ctorch._utils\n_rebuild_tensor_v2\n');

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value, 'utf8');
  const head = Buffer.alloc(5);
  head.write('X', 'latin1');
  head.writeUInt32LE(bytes.byteLength, 1);
  return Buffer.concat([head, bytes]);
};

/** BININT, or LONG1 where 32 bits do not suffice. */
const integer = (value: number): Buffer => {
  if (value < 2 ** 31) {
    const bytes = Buffer.alloc(5);
    bytes.write('J', 'latin1');
    bytes.writeInt32LE(value, 1);
    return bytes;
  }
  const bytes = Buffer.alloc(10);
  bytes.set([0x8a, 8]);
  bytes.writeBigInt64LE(BigInt(value), 2);
  return bytes;
};

const tuple = (items: readonly Buffer[]): Buffer => Buffer.concat([MARK, ...items, TUPLE]);

/** Strides of C order, in elements. */
export const contiguousStrides = (shape: readonly number[]): number[] => {
  const strides: number[] = [];
  let step = 1;
  for (const length of shape.toReversed()) {
    strides.push(step);
    step *= length;
  }
  return strides.reverse();
};

const tensor = ({ dtype, shape, key }: PickledTensor): Buffer => {
  const count = shape.reduce((a, b) => a * b, 1);
  const storageClass = Buffer.from(`ctorch\n${STORAGE[dtype]}\n`);
  const storage = tuple([text('storage'), storageClass, text(key), text('cpu'), integer(count)]);
  return Buffer.concat([
    REBUILD,
    tuple([
      Buffer.concat([storage, Buffer.from('Q')]), // BINPERSID
      integer(0),
      tuple(shape.map(integer)),
      tuple(contiguousStrides(shape).map(integer)),
      FALSE, // requires_grad
      EMPTY_ORDERED_DICT, // backward hooks
    ]),
    REDUCE,
  ]);
};

/** The pickle of an OrderedDict of tensors, in the order given. */
export const pickleStateDict = (tensors: readonly PickledTensor[]): Uint8Array =>
  Buffer.concat([
    Buffer.of(0x80, 2), // PROTO 2
    EMPTY_ORDERED_DICT,
    MARK,
    ...tensors.flatMap((entry) => [text(entry.name), tensor(entry)]),
    Buffer.from('u.'), // SETITEMS, STOP
  ]);

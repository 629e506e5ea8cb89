/**
 * The allow-list of globals. Nothing that a file names is imported or called: a name either stands for data that
 * is built here, or for a class of which only the fields are recorded, or it is refused.
 */
import type { DType } from '../model/tensor-data.ts';
import {
  NumpyArray,
  NumpyDType,
  PickleGlobal,
  PickleTuple,
  StorageRef,
  TensorRef,
  type GlobalRole,
  type PickleValue,
} from './pickle-value.ts';

const isCount = (value: PickleValue | undefined): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

const counts = (value: PickleValue | undefined): readonly number[] | undefined =>
  value instanceof PickleTuple && value.items.length <= 64 && value.items.every(isCount)
    ? value.items
    : undefined;

function rebuildTensor(args: readonly PickleValue[], dtype?: DType): TensorRef | undefined {
  const [storage, offset] = args;
  const size = counts(args[2]);
  const stride = counts(args[3]);
  if (!(storage instanceof StorageRef) || !isCount(offset) || size === undefined || stride === undefined) {
    return undefined;
  }
  const element = dtype ?? storage.dtype;
  if (element === 'untyped' || size.length !== stride.length) return undefined;
  return new TensorRef(storage, element, offset, size, stride);
}

function orderedDict(
  args: readonly PickleValue[],
  charge: (elements: number) => void,
): PickleValue | undefined {
  const dict = new Map<PickleValue, PickleValue>();
  if (args.length === 0) return dict;
  const [pairs] = args;
  if (!Array.isArray(pairs) || args.length > 1) return undefined;
  charge(pairs.length);
  for (const pair of pairs) {
    const [key, value, ...more] = pair instanceof PickleTuple ? pair.items : Array.isArray(pair) ? pair : [];
    if (key === undefined || value === undefined || more.length > 0) return undefined;
    dict.set(key, value);
  }
  return dict;
}

function set(args: readonly PickleValue[], charge: (elements: number) => void): PickleValue | undefined {
  const [values = []] = args;
  if (!Array.isArray(values) || args.length > 1) return undefined;
  charge(values.length);
  return new Set(values);
}

function latin1Bytes(
  args: readonly PickleValue[],
  charge: (elements: number) => void,
): PickleValue | undefined {
  const [text, encoding] = args;
  if (typeof text !== 'string' || (encoding !== 'latin1' && encoding !== 'latin-1')) return undefined;
  charge(text.length);
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

function numpyScalar(args: readonly PickleValue[]): PickleValue | undefined {
  const [dtype, bytes] = args;
  if (!(dtype instanceof NumpyDType) || !(bytes instanceof Uint8Array)) return undefined;
  if (bytes.byteLength !== Number(dtype.code.slice(1))) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = dtype.littleEndian;
  switch (dtype.code) {
    case 'f8':
      return view.getFloat64(0, little);
    case 'f4':
      return view.getFloat32(0, little);
    case 'i8':
      return Number(view.getBigInt64(0, little));
    case 'i4':
      return view.getInt32(0, little);
    default:
      return new NumpyArray(); // kept unread, like an array
  }
}

const constructor = (construct: Extract<GlobalRole, { kind: 'constructor' }>['construct']): GlobalRole => ({
  kind: 'constructor',
  construct,
});
const storage = (dtype: DType | 'untyped'): GlobalRole => ({ kind: 'storage', dtype });
const parameter = constructor(([tensor]) => (tensor instanceof TensorRef ? tensor : undefined));
const plainSet = constructor(set);
const numpyArray = constructor(() => new NumpyArray());
const scalar = constructor(numpyScalar);
/** Data classes without interest, such as the options of a training. */
const ignored: GlobalRole = { kind: 'record', called: true };

const DTYPES: readonly DType[] = [
  ...(['float64', 'float32', 'float16', 'bfloat16'] as const),
  ...(['int64', 'int32', 'int16', 'int8', 'uint8', 'bool'] as const),
];

const FIXED: ReadonlyMap<string, GlobalRole> = new Map<string, GlobalRole>([
  ['collections OrderedDict', constructor(orderedDict)],
  ['__builtin__ set', plainSet],
  ['builtins set', plainSet],
  ['__builtin__ frozenset', plainSet],
  ['builtins frozenset', plainSet],
  ['_codecs encode', constructor(latin1Bytes)],
  ['torch Size', constructor(([items]) => (items instanceof PickleTuple ? items : undefined))],
  ['torch._utils _rebuild_tensor', constructor((args) => rebuildTensor(args))],
  ['torch._utils _rebuild_tensor_v2', constructor((args) => rebuildTensor(args))],
  [
    'torch._utils _rebuild_tensor_v3',
    constructor((args) => {
      const dtype = args[6];
      if (!(dtype instanceof PickleGlobal) || dtype.role.kind !== 'dtype') return undefined;
      return rebuildTensor(args, dtype.role.dtype);
    }),
  ],
  ['torch._utils _rebuild_parameter', parameter],
  ['torch._utils _rebuild_parameter_with_state', parameter],
  ['torch DoubleStorage', storage('float64')],
  ['torch FloatStorage', storage('float32')],
  ['torch HalfStorage', storage('float16')],
  ['torch BFloat16Storage', storage('bfloat16')],
  ['torch LongStorage', storage('int64')],
  ['torch IntStorage', storage('int32')],
  ['torch ShortStorage', storage('int16')],
  ['torch CharStorage', storage('int8')],
  ['torch ByteStorage', storage('uint8')],
  ['torch BoolStorage', storage('bool')],
  ['torch.storage UntypedStorage', storage('untyped')],
  ...DTYPES.map((dtype): [string, GlobalRole] => [`torch ${dtype}`, { kind: 'dtype', dtype }]),
  ['numpy.core.multiarray _reconstruct', numpyArray],
  ['numpy._core.multiarray _reconstruct', numpyArray],
  ['numpy.core.multiarray scalar', scalar],
  ['numpy._core.multiarray scalar', scalar],
  ['numpy ndarray', { kind: 'record', called: false }],
  [
    'numpy dtype',
    constructor(([code]) =>
      typeof code === 'string' && /^[a-zA-Z]\d*$/.test(code) ? new NumpyDType(code) : undefined,
    ),
  ],
  ['torch device', ignored],
  ['pathlib PosixPath', ignored],
  ['pathlib WindowsPath', ignored],
  ['pathlib PurePosixPath', ignored],
  ['pathlib PureWindowsPath', ignored],
  ['argparse Namespace', ignored],
  ['datetime datetime', ignored],
  ['torch.nn.parallel.data_parallel DataParallel', { kind: 'record', called: false }],
]);

/** Modules whose classes become records. */
const RECORDED = /^(models\.(common|yolo|experimental)|torch\.nn\.modules(\.\w+)*|ultralytics\.nn(\.\w+)*)$/;

/** What `module name` stands for; undefined when it is not on the allow-list. */
export function allowedGlobal(module: string, name: string): PickleGlobal | undefined {
  const role = FIXED.get(`${module} ${name}`);
  if (role !== undefined) return new PickleGlobal(`${module}.${name}`, role);
  if (!RECORDED.test(module) || !/^[A-Za-z_]\w*$/.test(name)) return undefined;
  return new PickleGlobal(`${module}.${name}`, { kind: 'record', called: false });
}

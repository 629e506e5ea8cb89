/** Fits the tensors of a state dict to the keys and shapes of a model. */
import { SoftshardError } from '../errors.ts';
import type { StateDict, TensorData } from '../model/tensor-data.ts';
import { toFloat32 } from './tensor-bytes.ts';

/** Model keys with their shapes, in PyTorch's layout. */
export type TargetShapes = ReadonlyMap<string, readonly number[]>;

export interface ShapeMismatch {
  readonly key: string;
  readonly expected: readonly number[];
  readonly found: readonly number[];
}

export interface Transfer {
  /** In the target's order: float32, and int64 for `num_batches_tracked`. */
  readonly state: Map<string, TensorData>;
  /** Keys of the target that the source lacks, anchors put aside when they are excluded. */
  readonly missing: readonly string[];
  /** Keys of the source that the target lacks. */
  readonly unused: readonly string[];
  readonly mismatched: readonly ShapeMismatch[];
}

export interface TransferOptions {
  /** Leaves the target's anchors as they are: for a model whose anchors were chosen anew. False by default. */
  readonly excludeAnchors?: boolean;
  /** What errors call the source: the file's path. */
  readonly where?: string;
}

const isCounter = (key: string): boolean => key.endsWith('num_batches_tracked');

/** Float32, or int64 for the counters of batch norm. */
function cast(key: string, tensor: TensorData): TensorData {
  if (!isCounter(key)) return toFloat32(tensor);
  if (tensor.data instanceof BigInt64Array) return tensor;
  const counts = Array.from(toFloat32(tensor).data, (value) => {
    if (Number.isInteger(value)) return BigInt(value);
    throw new SoftshardError('E_WEIGHTS_TRANSFER', {
      message: 'A counter of batch norm is no whole number.',
      where: key,
      found: String(value),
    });
  });
  return { dtype: 'int64', shape: tensor.shape, data: BigInt64Array.from(counts) };
}

const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((length, axis) => length === b[axis]);

const LISTED = 10;

/** The first keys, and how many more there are. */
const listKeys = (keys: readonly string[]): string => {
  const more = keys.length - LISTED;
  return keys.slice(0, LISTED).join(', ') + (more > 0 ? ` and ${more} more` : '');
};

const shapeText = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

function incomplete(
  { missing, mismatched }: Transfer,
  wanted: number,
  where: string | undefined,
): SoftshardError {
  const shapes = mismatched.map(
    ({ key, expected, found }) => `${key} ${shapeText(found)} instead of ${shapeText(expected)}`,
  );
  const found = [
    ...(missing.length > 0 ? [`${missing.length} missing: ${listKeys(missing)}`] : []),
    ...(shapes.length > 0 ? [`${shapes.length} of another shape: ${listKeys(shapes)}`] : []),
  ];
  return new SoftshardError('E_WEIGHTS_TRANSFER', {
    message: 'The weights do not cover the model.',
    ...(where === undefined ? {} : { where }),
    expected: `all ${wanted} tensors of the model`,
    found: found.join('; '),
    remedy: 'Check that weights and model description belong together, or ask for a partial transfer.',
  });
}

/**
 * Takes from `source` what fits `target` by key and shape. In mode `full` anything missing or of another shape
 * throws E_WEIGHTS_TRANSFER, which lists the first ten keys and the count; in mode `partial` it is reported.
 */
export function transferWeights(
  source: StateDict,
  target: TargetShapes,
  mode: 'full' | 'partial',
  options: TransferOptions = {},
): Transfer {
  const { excludeAnchors = false, where } = options;
  const state = new Map<string, TensorData>();
  const missing: string[] = [];
  const mismatched: ShapeMismatch[] = [];
  const wanted = [...target].filter(([key]) => !(excludeAnchors && key.includes('anchor')));
  for (const [key, expected] of wanted) {
    const tensor = source.get(key);
    if (tensor === undefined) missing.push(key);
    else if (!sameShape(tensor.shape, expected)) mismatched.push({ key, expected, found: tensor.shape });
    else state.set(key, cast(key, tensor));
  }
  const unused = [...source.keys()].filter((key) => !target.has(key));
  const result: Transfer = { state, missing, unused, mismatched };
  if (mode === 'full' && missing.length + mismatched.length > 0) {
    throw incomplete(result, wanted.length, where);
  }
  return result;
}

/** Reads PyTorch checkpoints: pickled YOLOv5 models and plain state dicts, from both containers. */
import { SoftshardError } from '../errors.ts';
import type { StateDict, TensorData } from '../model/tensor-data.ts';
import { withFileSource, type ByteSource } from './byte-source.ts';
import { moduleState } from './module-state.ts';
import { PickleRecord, PickleTuple, TensorRef, kindOf, type PickleValue } from './pickle-value.ts';
import { plainValue, type PlainValue } from './plain-value.ts';
import { openPtZip, type PtContainer } from './pt-container.ts';
import { openPtLegacy } from './pt-legacy.ts';
import { readTensors } from './pt-tensors.ts';
import { toFloat32Array } from './tensor-bytes.ts';

export interface PtCheckpoint {
  /** By the keys and in the order of `state_dict()`, in the dtypes of the file. `anchor_grid` is left out. */
  readonly state: StateDict;
  /** The model description; pickled models only, as are all the following. */
  readonly yaml?: PlainValue;
  readonly names?: readonly string[];
  readonly nc?: number;
  /** Pixels per cell, one a level. */
  readonly stride?: readonly number[];
  /** Last finished epoch, 0-based; -1 in finished checkpoints. */
  readonly epoch?: number;
  /** Whether the file holds a module (with its description) rather than tensors alone. */
  readonly isPickledModel: boolean;
}

const isZip = (head: Uint8Array): boolean => head[0] === 0x50 && head[1] === 0x4b;

/** Reads the checkpoint in `path`. Throws E_FILE, E_WEIGHTS_FORMAT or E_WEIGHTS_UNSAFE. */
export const readPt = (path: string): Promise<PtCheckpoint> => withFileSource(path, readPtSource);

/** Reads a checkpoint from a source. Throws E_WEIGHTS_FORMAT or E_WEIGHTS_UNSAFE. */
export async function readPtSource(source: ByteSource): Promise<PtCheckpoint> {
  const head = await source.read(0, Math.min(2, source.size));
  const container = isZip(head) ? await openPtZip(source) : await openPtLegacy(source);
  const { root } = container;
  const module = rootModule(root);
  const tensors = module === undefined ? plainTensors(root, source.name) : moduleState(module, source.name);
  const state = await readTensors(cleanKeys(tensors), container, source.name, source.size);
  const epoch = root instanceof Map ? root.get('epoch') : undefined;
  return {
    state,
    isPickledModel: module !== undefined,
    ...(typeof epoch === 'number' ? { epoch } : {}),
    ...(module === undefined ? {} : await describe(module, container, source)),
  };
}

/** The module to take weights from: the averaged one where there is one. */
function rootModule(root: PickleValue): PickleRecord | undefined {
  const candidates = root instanceof Map ? [root.get('ema'), root.get('model')] : [root];
  const module = candidates.find((value) => value instanceof PickleRecord);
  if (module?.className !== 'torch.nn.parallel.data_parallel.DataParallel') return module;
  const children = module.field('_modules');
  const inner = children instanceof Map ? children.get('module') : undefined;
  return inner instanceof PickleRecord ? inner : module;
}

/** The tensors of a plain state dict, wrapped or not. */
function plainTensors(root: PickleValue, where: string): Map<string, TensorRef> {
  const wrapped = root instanceof Map ? [root.get('state_dict'), root.get('ema'), root.get('model')] : [];
  const dict = wrapped.find((value) => value instanceof Map) ?? root;
  const refuse = (found: string): SoftshardError =>
    new SoftshardError('E_WEIGHTS_FORMAT', {
      message: 'A PyTorch file holds neither a model nor a state dict.',
      where,
      expected: 'a YOLOv5 checkpoint, a state dict, or one under state_dict or model',
      found,
    });
  if (!(dict instanceof Map) || dict.size === 0)
    throw refuse(dict instanceof Map ? 'no entry' : kindOf(dict));
  const tensors = new Map<string, TensorRef>();
  for (const [key, value] of dict) {
    if (typeof key !== 'string') throw refuse(`${kindOf(key)} as a key`);
    if (!(value instanceof TensorRef)) throw refuse(`${kindOf(value)} under ${JSON.stringify(key)}`);
    tensors.set(key, value);
  }
  return tensors;
}

/** Drops the prefix of data-parallel training, and the anchor cache that old versions saved as a buffer. */
function cleanKeys(tensors: ReadonlyMap<string, TensorRef>): Map<string, TensorRef> {
  const prefix = 'module.';
  const prefixed = [...tensors.keys()].every((key) => key.startsWith(prefix));
  const clean = new Map<string, TensorRef>();
  for (const [key, tensor] of tensors) {
    const name = prefixed ? key.slice(prefix.length) : key;
    if (!/(^|\.)anchor_grid$/.test(name)) clean.set(name, tensor);
  }
  return clean;
}

type Description = Pick<PtCheckpoint, 'yaml' | 'names' | 'nc' | 'stride'>;

/** The fields of the root module that describe it. */
async function describe(
  module: PickleRecord,
  container: PtContainer,
  source: ByteSource,
): Promise<Description> {
  const yaml = module.field('yaml');
  const names = namesOf(module.field('names'), source.name);
  const nc = module.field('nc');
  const stride = module.field('stride');
  const strides =
    stride instanceof TensorRef
      ? await readTensors(new Map([['stride', stride]]), container, source.name, source.size)
      : new Map<string, TensorData>();
  const tensor = strides.get('stride');
  return {
    ...(yaml instanceof Map ? { yaml: plainValue(yaml, `${source.name}, yaml`) } : {}),
    ...(names === undefined ? {} : { names }),
    ...(typeof nc === 'number' ? { nc } : {}),
    ...(tensor === undefined ? {} : { stride: [...toFloat32Array(tensor)] }),
  };
}

/** Class names: a list, or in newer files a dictionary by class index. */
function namesOf(value: PickleValue | undefined, where: string): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined;
  const items = value instanceof PickleTuple ? value.items : value;
  const list = items instanceof Map ? Array.from({ length: items.size }, (_, i) => items.get(i)) : items;
  if (Array.isArray(list) && list.every((name) => typeof name === 'string')) return list;
  throw new SoftshardError('E_WEIGHTS_FORMAT', {
    message: 'The class names of a checkpoint are not a list of text.',
    where: `${where}, names`,
    found: kindOf(value),
  });
}

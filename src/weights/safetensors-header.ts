/** The header of a safetensors file: checked on reading, deterministic on writing. */
import { SoftshardError } from '../errors.ts';
import type { DType, StateDict } from '../model/tensor-data.ts';
import { ELEMENT_BYTES, elementCount } from './tensor-bytes.ts';

/** Bytes of the JSON header at most: the format's own limit. */
export const MAX_HEADER_BYTES = 100_000_000;
export const METADATA_KEY = '__metadata__';

/** Text values by key, as the format allows. */
export type Metadata = Readonly<Record<string, string>>;

export interface TensorEntry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Byte range in the data section. */
  readonly start: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly metadata: Metadata;
  /** In the order of the header. */
  readonly tensors: readonly TensorEntry[];
}

const CODES: Readonly<Record<DType, string>> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint8: 'U8',
  bool: 'BOOL',
};
const DTYPES = new Map(Object.entries(CODES).map(([dtype, code]) => [code, dtype as DType]));

/** Offset of the quote that closes the JSON text opened at `open`. */
function closingQuote(json: string, open: number): number {
  let at = open + 1;
  while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at;
}

/** Keys of the outermost object of valid JSON, in order and with repetitions, both of which JSON.parse hides. */
function outerKeys(json: string): string[] {
  const keys: string[] = [];
  let depth = 0;
  let isValue = false;
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
    else if (character === ':') isValue = true;
    else if (character === ',') isValue = false;
    else if (character === '"') {
      const end = closingQuote(json, at);
      if (depth === 1 && !isValue) keys.push(String(JSON.parse(json.slice(at, end + 1))));
      at = end;
    }
  }
  return keys;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isCounts = (value: unknown): value is number[] => Array.isArray(value) && value.every(isCount);

/**
 * Reads the JSON of a header whose data section has `dataBytes` bytes. Throws E_WEIGHTS_FORMAT unless the tensors
 * cover that section exactly, without overlap, each with the size that its dtype and shape demand.
 */
export function parseHeader(json: string, dataBytes: number, where: string): SafetensorsHeader {
  const refuse = (message: string, found?: unknown, name?: string): SoftshardError =>
    new SoftshardError('E_WEIGHTS_FORMAT', {
      message,
      where: name === undefined ? where : `${where}, tensor ${JSON.stringify(name)}`,
      ...(found === undefined ? {} : { found: JSON.stringify(found).slice(0, 200) }),
    });
  let header: unknown;
  try {
    header = JSON.parse(json);
  } catch (cause) {
    throw new SoftshardError('E_WEIGHTS_FORMAT', {
      message: 'The header of a safetensors file is no JSON.',
      where,
      cause,
    });
  }
  if (!isObject(header)) throw refuse('The header of a safetensors file is no JSON object.');
  const names = outerKeys(json);
  if (new Set(names).size !== names.length) throw refuse('A safetensors header names a tensor twice.');

  const metadata = header[METADATA_KEY] ?? {};
  const texts = isObject(metadata) ? Object.entries(metadata) : [];
  const isText = (entry: [string, unknown]): entry is [string, string] => typeof entry[1] === 'string';
  if (!isObject(metadata) || !texts.every(isText)) {
    throw refuse('The metadata of a safetensors file must be text by key.', metadata);
  }
  const tensors = names
    .filter((name) => name !== METADATA_KEY)
    .map((name): TensorEntry => {
      const entry = header[name];
      if (!isObject(entry)) throw refuse('A tensor is not described by an object.', entry, name);
      const { dtype: code, shape, data_offsets: range } = entry;
      const dtype = typeof code === 'string' ? DTYPES.get(code) : undefined;
      if (dtype === undefined) throw refuse('A tensor has an unknown dtype.', code, name);
      if (!isCounts(shape) || shape.length > 64) throw refuse('A tensor has a bad shape.', shape, name);
      const [start, end] = isCounts(range) && range.length === 2 ? range : [];
      if (start === undefined || end === undefined || start > end || end > dataBytes) {
        throw refuse(`A tensor lies outside the ${dataBytes} bytes of data.`, range, name);
      }
      if (elementCount(shape) * ELEMENT_BYTES[dtype] !== end - start) {
        throw refuse('A tensor has other bytes than its dtype and shape need.', entry, name);
      }
      return { name, dtype, shape, start, end };
    });
  let covered = 0;
  for (const { name, start, end } of [...tensors].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (start !== covered) throw refuse('Tensors overlap or leave a gap.', [start, end], name);
    covered = end;
  }
  if (covered !== dataBytes) throw refuse(`The data end at ${dataBytes} bytes, the tensors at ${covered}.`);
  return { metadata: Object.fromEntries(texts.filter(isText)), tensors };
}

/** The order of tensors in the data section: widest elements first, so that every tensor is aligned. */
export const dataOrder = (state: StateDict): string[] =>
  [...state.keys()].sort((a, b) => width(state, b) - width(state, a));

const width = (state: StateDict, name: string): number => {
  const tensor = state.get(name);
  return tensor === undefined ? 0 : ELEMENT_BYTES[tensor.dtype];
};

/** The length prefix and JSON of a header, tensors and metadata in the order given, padded to 8 bytes. */
export function formatHeader(state: StateDict, metadata: Metadata): Uint8Array {
  if (state.has(METADATA_KEY)) {
    throw new SoftshardError('E_WEIGHTS_FORMAT', {
      message: `A tensor cannot be named ${METADATA_KEY} in a safetensors file.`,
    });
  }
  const ranges = new Map<string, [number, number]>();
  let at = 0;
  for (const name of dataOrder(state)) {
    const start = at;
    at += elementCount(state.get(name)?.shape ?? []) * width(state, name);
    ranges.set(name, [start, at]);
  }
  const items = [...state].map(([name, { dtype, shape }]) => {
    const entry = { dtype: CODES[dtype], shape, data_offsets: ranges.get(name) };
    return `${JSON.stringify(name)}:${JSON.stringify(entry)}`;
  });
  const texts = Object.entries(metadata).map(
    ([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`,
  );
  if (texts.length > 0) items.unshift(`"${METADATA_KEY}":{${texts.join(',')}}`);
  const json = Buffer.from(`{${items.join(',')}}`);
  const padded = Math.ceil(json.byteLength / 8) * 8;
  const bytes = Buffer.alloc(8 + padded, ' ');
  bytes.writeBigUInt64LE(BigInt(padded));
  json.copy(bytes, 8);
  return bytes;
}

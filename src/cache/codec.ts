/**
 * How a blob becomes bytes and comes back. A codec is named and parameterised by a short text
 * (`fp16`, `name:key=value,...`) that the manifest keeps; codecs are passed by explicit argument.
 */
import { SoftshardError } from '../errors.ts';
import { fp16 } from './codecs/fp16.ts';
import { fp32 } from './codecs/fp32.ts';
import { int8 } from './codecs/int8.ts';
import { raw } from './codecs/raw.ts';
import type { Blob, BlobDtype } from './target.ts';

/** Parameters of a codec by name, as text: what stands behind the colon of its spec. */
export type CodecParams = Readonly<Record<string, string>>;

/** Least and most bytes that an encoded blob can have. */
export interface ByteBounds {
  readonly min: number;
  readonly max: number;
}

export interface Codec {
  readonly name: string;
  readonly params: CodecParams;
  /** The dtype of the blobs that it takes and gives. */
  readonly dtype: BlobDtype;
  /**
   * The same bytes for the same blob, always; little-endian where bytes have an order. The result may share
   * memory with the blob. Throws E_CODEC for a value that it cannot represent, naming `where` and the value.
   */
  encode(blob: Blob, where: string): Uint8Array;
  /**
   * The blob's data. It may share memory with `bytes`. Throws E_CACHE_CORRUPT for bytes that no encoder makes;
   * never allocates more than the shape needs.
   */
  decode(bytes: Uint8Array, shape: readonly number[], where: string): Float32Array | Uint8Array;
  /** Checked before `decode`, so that a lie about a shape costs nothing. */
  boundsBytes(shape: readonly number[]): ByteBounds;
  /** What a blob of the shape takes as a rule, for codecs whose bytes depend on the values. */
  usualBytes?(shape: readonly number[]): number;
}

/** What a blob of the shape will take: exactly, or as a rule. */
export const expectedBytes = (codec: Codec, shape: readonly number[]): number =>
  codec.usualBytes?.(shape) ?? codec.boundsBytes(shape).max;

/** Makes a codec from its parameters. Throws E_CODEC for one that it does not know or cannot use. */
export type CodecFactory = (params: CodecParams) => Codec;

export type CodecFactories = Readonly<Record<string, CodecFactory>>;

/** The codecs that every reader knows: `fp16`, `fp32` and `int8` for floats, `raw` for bytes. */
export const BUILT_IN_CODECS: CodecFactories = { fp16, fp32, int8, raw };

const NAME = /^[a-z][a-z0-9]{0,31}$/;
const VALUE = /^[A-Za-z0-9._+-]{1,64}$/;

const badSpec = (spec: string, expected: string): SoftshardError =>
  new SoftshardError('E_CODEC', {
    message: 'A codec that cannot be used.',
    expected,
    found: JSON.stringify(spec.slice(0, 200)),
  });

/** The codec of a spec. Throws E_CODEC for an unknown name, malformed text, or parameters that it refuses. */
export function codecOf(spec: string, codecs: CodecFactories = BUILT_IN_CODECS): Codec {
  const colon = spec.indexOf(':');
  const name = colon < 0 ? spec : spec.slice(0, colon);
  const make = NAME.test(name) && Object.hasOwn(codecs, name) ? codecs[name] : undefined;
  if (make === undefined) throw badSpec(spec, `one of ${Object.keys(codecs).sort().join(', ')}`);
  const params = new Map<string, string>();
  for (const pair of colon < 0 ? [] : spec.slice(colon + 1).split(',')) {
    const equals = pair.indexOf('=');
    const key = pair.slice(0, Math.max(0, equals));
    const value = pair.slice(equals + 1);
    if (!NAME.test(key) || !VALUE.test(value) || params.has(key)) throw badSpec(spec, 'name:key=value,...');
    params.set(key, value);
  }
  return make(Object.fromEntries(params));
}

/** The canonical spec of a codec: its name, then its parameters sorted by key. */
export function codecSpec(codec: Pick<Codec, 'name' | 'params'>): string {
  const params = Object.entries(codec.params).sort(([a], [b]) => (a < b ? -1 : 1));
  if (params.length === 0) return codec.name;
  return `${codec.name}:${params.map(([key, value]) => `${key}=${value}`).join(',')}`;
}

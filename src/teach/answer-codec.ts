/** The codecs that can store a teacher's answers, which are float32: its heads, and its features. */
import { BUILT_IN_CODECS, codecOf, type Codec, type CodecFactories } from '../cache/codec.ts';
import { isSoftshardError, SoftshardError } from '../errors.ts';
import { HEAD_CODECS } from '../head-codec/codecs.ts';

const storesFloats = (codecs: CodecFactories): string[] =>
  Object.keys(codecs).filter((name) => name !== 'rows' && codecOf(name, codecs).dtype === 'float32');

/** Names of the codecs for heads: `fp16`, `fp32`, `int8`, `sparse`. */
export const ANSWER_CODECS: readonly string[] = storesFloats(HEAD_CODECS);

/** Names of the codecs for features: `fp16`, `fp32`, `int8`. */
export const HINT_CODECS: readonly string[] = storesFloats(BUILT_IN_CODECS);

function floatCodec(spec: string, codecs: CodecFactories, option: string): Codec {
  const codec = codecOf(spec, codecs);
  if (codec.dtype === 'float32') return codec;
  throw new SoftshardError('E_CODEC', {
    message: `The codec ${codec.name} stores bytes; a teacher's answers are float32.`,
    where: option,
    expected: `one of ${storesFloats(codecs).join(', ')}`,
    found: spec,
  });
}

/** The codec of a spec (`NAME[:key=value,...]`). Throws E_CODEC for an unknown one and for one that stores bytes. */
export const answerCodec = (spec: string): Codec => floatCodec(spec, HEAD_CODECS, '--codec');

/** Whether heads in this codec lose what only a measurement tells: its parameters follow bounds on the error. */
export const isSparse = (spec: string): boolean => answerCodec(spec).name === 'sparse';

/** As `answerCodec`, for features. */
export const hintCodec = (spec: string): Codec => floatCodec(spec, BUILT_IN_CODECS, '--hint-codec');

const accepts = (codec: (spec: string) => Codec, spec: string): boolean => {
  try {
    codec(spec);
    return true;
  } catch (error) {
    if (isSoftshardError(error, 'E_CODEC')) return false;
    throw error;
  }
};

/** Whether `answerCodec` takes the spec. */
export const isAnswerCodec = (spec: string): boolean => accepts(answerCodec, spec);

/** Whether `hintCodec` takes the spec. */
export const isHintCodec = (spec: string): boolean => accepts(hintCodec, spec);

/** The codecs that can store a teacher's answers, which are float32. */
import { BUILT_IN_CODECS, codecOf, type Codec } from '../cache/codec.ts';
import { isSoftshardError, SoftshardError } from '../errors.ts';

const takesAnswers = (codec: Codec): boolean => codec.dtype === 'float32';

/** Names of the built-in codecs for answers: `fp16`, `fp32`. */
export const ANSWER_CODECS: readonly string[] = Object.keys(BUILT_IN_CODECS).filter((name) =>
  takesAnswers(codecOf(name)),
);

/** The codec of a spec (`NAME[:key=value,...]`). Throws E_CODEC for an unknown one and for one that stores bytes. */
export function answerCodec(spec: string): Codec {
  const codec = codecOf(spec);
  if (takesAnswers(codec)) return codec;
  throw new SoftshardError('E_CODEC', {
    message: `The codec ${codec.name} stores bytes; a teacher's answers are float32.`,
    where: '--codec',
    expected: `one of ${ANSWER_CODECS.join(', ')}`,
    found: spec,
  });
}

/** Whether `answerCodec` takes the spec. */
export function isAnswerCodec(spec: string): boolean {
  try {
    answerCodec(spec);
    return true;
  } catch (error) {
    if (isSoftshardError(error, 'E_CODEC')) return false;
    throw error;
  }
}

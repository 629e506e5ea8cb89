/** The codecs of a detector's answers: those that every cache knows, and `sparse` for heads. */
import { BUILT_IN_CODECS, type CodecFactories } from '../cache/codec.ts';
import { sparse } from './sparse.ts';

export const HEAD_CODECS: CodecFactories = { ...BUILT_IN_CODECS, sparse };

/** The codecs of a detector's answers: those that every cache knows, `sparse` for heads and `rows` for detections. */
import { BUILT_IN_CODECS, type CodecFactories } from '../cache/codec.ts';
import { detectionRows } from './detection-rows.ts';
import { sparse } from './sparse.ts';

export const HEAD_CODECS: CodecFactories = { ...BUILT_IN_CODECS, rows: detectionRows, sparse };

/** What a teacher will answer to one view, and how many bytes that takes, before it has run. */
import type { Answer } from '../cache/extent.ts';
import { elementsOf } from '../cache/target.ts';
import { isClassifier, type HeadSpec } from '../model/detector.ts';
import { codecOf, codecSpec, expectedBytes, type Codec } from '../cache/codec.ts';
import { answerCodec, hintCodec, isHintCodec } from './answer-codec.ts';
import { answerShapes, type FeatureLayer } from './answer-shapes.ts';
import { HEAD_CODECS } from '../head-codec/codecs.ts';
import { DETECTIONS_KIND, featureKind, outputAnswer } from './answers.ts';

/** One kind of answer as it will be stored. */
export interface PlannedAnswer extends Answer {
  /** Shapes of one view's blobs, in the order of `blobs`. */
  readonly shapes: readonly (readonly number[])[];
  /** Bytes that one view's blobs take: exactly, or about where a codec's bytes depend on the values. */
  readonly viewBytes: number;
}

export interface PlannedAnswers {
  readonly answers: readonly PlannedAnswer[];
  /** Float32 values that one view's answers hold in memory. */
  readonly viewValues: number;
  /** Bytes that one view's answers take, as above. */
  readonly viewBytes: number;
}

export interface AnswerOptions {
  /** Side of the square views, pixels. */
  readonly imgsz: number;
  /** Whether heads are stored, or at most `maxDet` detections in their place; heads by default. */
  readonly answers?: 'heads' | 'detections' | undefined;
  readonly maxDet?: number | undefined;
  /** Spec of the codec. */
  readonly codec: string;
  /** Spec of the features' codec; `codec`, or fp16 where that is for heads only, by default. */
  readonly hintCodec?: string | undefined;
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/**
 * Plans the answers of a teacher with this head and these features. Throws E_USAGE for an image size that the teacher's
 * strides do not divide, E_CODEC for a codec that stores no answers.
 */
export function planAnswers(
  head: HeadSpec,
  features: readonly FeatureLayer[],
  options: AnswerOptions,
): PlannedAnswers {
  const { imgsz, codec, answers: stored = 'heads', maxDet = 300 } = options;
  const { hintCodec: ofHints = isHintCodec(codec) ? codec : 'fp16' } = options;
  const shapes = answerShapes(head, imgsz, features);
  const planned = (kind: string, blobs: string[], inCodec: Codec): PlannedAnswer => {
    const ofBlobs = blobs.map((blob) => shapes.get(blob) ?? [maxDet, 5 + head.nc]);
    return {
      ...{ kind, blobs, codec: codecSpec(inCodec), shapes: ofBlobs },
      viewBytes: sum(ofBlobs.map((shape) => expectedBytes(inCodec, shape))),
    };
  };
  const output = outputAnswer(head);
  const answers = [
    stored === 'detections'
      ? planned(DETECTIONS_KIND, [DETECTIONS_KIND], codecOf('rows', HEAD_CODECS))
      : planned(output.kind, output.blobs, isClassifier(head) ? hintCodec(codec) : answerCodec(codec)),
    ...features.map(({ layer }) => planned(featureKind(layer), [featureKind(layer)], hintCodec(ofHints))),
  ];
  return {
    answers,
    viewValues: sum([...shapes.values()].map(elementsOf)),
    viewBytes: sum(answers.map(({ viewBytes }) => viewBytes)),
  };
}

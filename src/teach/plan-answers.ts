/** What a teacher will answer to one view, and how many bytes that takes, before it has run. */
import type { Answer } from '../cache/extent.ts';
import { elementsOf } from '../cache/target.ts';
import type { HeadSpec } from '../model/detector.ts';
import type { ModelGraph } from '../model/graph.ts';
import { codecSpec, expectedBytes, type Codec } from '../cache/codec.ts';
import { answerCodec, hintCodec, isHintCodec } from './answer-codec.ts';
import { answerShapes } from './answer-shapes.ts';
import { featureKind, HEADS_KIND, headBlob } from './answers.ts';

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
  /** Layers whose outputs are cached beside the heads. */
  readonly hints: readonly number[];
  /** Spec of the codec. */
  readonly codec: string;
  /** Spec of the features' codec; `codec`, or fp16 where that is for heads only, by default. */
  readonly hintCodec?: string | undefined;
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/**
 * Plans the answers of a teacher with this graph and head. Throws E_LOSS for a hint that is no layer, E_USAGE for an
 * image size that the teacher's strides do not divide, E_CODEC for a codec that stores no answers.
 */
export function planAnswers(
  graph: ModelGraph,
  head: HeadSpec,
  { imgsz, hints, codec, hintCodec: ofHints = isHintCodec(codec) ? codec : 'fp16' }: AnswerOptions,
): PlannedAnswers {
  const shapes = answerShapes(graph, head, imgsz, hints);
  const planned = (kind: string, blobs: string[], stored: Codec): PlannedAnswer => {
    const ofBlobs = blobs.map((blob) => shapes.get(blob) ?? []);
    return {
      ...{ kind, blobs, codec: codecSpec(stored), shapes: ofBlobs },
      viewBytes: sum(ofBlobs.map((shape) => expectedBytes(stored, shape))),
    };
  };
  const answers = [
    planned(
      HEADS_KIND,
      head.strides.map((_, level) => headBlob(level)),
      answerCodec(codec),
    ),
    ...hints.map((layer) => planned(featureKind(layer), [featureKind(layer)], hintCodec(ofHints))),
  ];
  return {
    answers,
    viewValues: sum([...shapes.values()].map(elementsOf)),
    viewBytes: sum(answers.map(({ viewBytes }) => viewBytes)),
  };
}

/** A part: what one kind of answer occupies at one view index in one codec, in a folder of its own. */
import { codecOf, codecSpec, type Codec, type CodecFactories } from './codec.ts';
import { sha256Hex } from './document.ts';
import type { Answer, Extent } from './extent.ts';

/** What a part's name is made of; `codec` is a canonical spec. */
export interface PartKey {
  readonly view: number;
  readonly kind: string;
  readonly codec: string;
}

/** The codec's folder: its name, and eight hex digits of its spec's sha256 when it has parameters. */
const codecFolder = (spec: string): string => {
  const colon = spec.indexOf(':');
  return colon < 0 ? spec : `${spec.slice(0, colon)}-${sha256Hex(spec).slice(0, 8)}`;
};

/** The part's folder, ending in `/`. */
export const partFolder = ({ view, kind, codec }: PartKey): string =>
  `parts/v${String(view).padStart(3, '0')}/${kind}/${codecFolder(codec)}/`;

/** The name of the shard that a unit has in a part. */
export const shardName = (part: PartKey, unit: number): string =>
  `${partFolder(part)}${String(unit).padStart(6, '0')}.shard`;

/** An answer with the codec that stores it. */
export interface CodedAnswer extends Answer {
  readonly stored: Codec;
}

/** The answers of an extent with their codecs, whose specs become canonical. Throws E_CODEC for an unknown one. */
export const codedAnswers = (
  extent: Pick<Extent, 'answers'>,
  codecs?: CodecFactories,
): readonly CodedAnswer[] =>
  extent.answers.map((answer) => {
    const stored = codecOf(answer.codec, codecs);
    return { ...answer, codec: codecSpec(stored), stored };
  });

/** Measures what a codec does to the losses: decoded answers against dense ones, over views and reference students. */
import type { Codec } from '../cache/codec.ts';
import type { FloatBlob } from '../cache/target.ts';
import type { EngineOps } from '../engine/engine.ts';
import type { Loss, LossContext } from '../loss/loss.ts';
import { createL2OutputLoss } from '../loss/output-l2.ts';
import { createSoftOutputLoss } from '../loss/output-soft.ts';
import { scaleGains } from '../loss/scale-gains.ts';
import type { HeadSpec } from '../model/detector.ts';
import { summariseErrors, type CodecError, type ViewError } from './error-figures.ts';
import { gradientError, headGradients } from './view-error.ts';

/** One view: the teacher's heads, and those of each reference student; blobs [ny, nx, na, no] by level. */
export interface ErrorView {
  readonly teacher: readonly FloatBlob[];
  readonly students: readonly (readonly FloatBlob[])[];
}

/** The losses that a cache of heads serves, by the name that they are reported under. */
export const servedLosses = (): Readonly<Record<string, Loss>> => ({
  l2: createL2OutputLoss(),
  soft: createSoftOutputLoss(),
});

/** Gains of the default hyper-parameters of training, before they are scaled. */
const GAINS = { box: 0.05, obj: 1, cls: 0.5 };

/** What the losses are measured in. */
export const errorContext = (ops: EngineOps, head: HeadSpec, imgsz: number): LossContext => ({
  ops,
  head,
  gains: scaleGains(GAINS, { nc: head.nc, levels: head.strides.length, imgsz }),
  adapt: (_, feature) => feature,
});

export interface MeasuredCodec {
  /** Bytes of a view's heads, the mean. */
  readonly bytes: number;
  readonly error: CodecError;
}

/** Encodes and decodes a view's heads. */
export function throughCodec(
  codec: Codec,
  heads: readonly FloatBlob[],
): { decoded: FloatBlob[]; bytes: number } {
  let bytes = 0;
  const decoded = heads.map((blob, level): FloatBlob => {
    const encoded = codec.encode(blob, `head ${level}`);
    bytes += encoded.byteLength;
    const data = codec.decode(encoded, blob.shape, `head ${level}`);
    return { shape: blob.shape, data: Float32Array.from(data) };
  });
  return { decoded, bytes };
}

/** Measures several codecs over the same views at once; results are in the codecs' order. */
export async function measureCodecs(
  codecs: readonly Codec[],
  views: AsyncIterable<ErrorView> | Iterable<ErrorView>,
  context: LossContext,
  losses: Readonly<Record<string, Loss>> = servedLosses(),
): Promise<MeasuredCodec[]> {
  const names = Object.keys(losses);
  const bytes = codecs.map(() => 0);
  const errors = codecs.map(() => new Map<string, ViewError[][]>(names.map((name) => [name, []])));
  let count = 0;
  for await (const { teacher, students } of views) {
    const passed = codecs.map((codec) => throughCodec(codec, teacher));
    passed.forEach(({ bytes: more }, i) => (bytes[i] = (bytes[i] ?? 0) + more));
    count += 1;
    for (const [name, loss] of Object.entries(losses)) {
      students.forEach((student, s) => {
        const dense = headGradients(loss, context, student, teacher);
        passed.forEach(({ decoded }, i) => {
          const other = headGradients(loss, context, student, decoded);
          const byStudent = errors[i]?.get(name) ?? [];
          (byStudent[s] ??= []).push(gradientError(dense, other, context.head.no));
        });
      });
    }
  }
  return codecs.map((_, i) => ({
    bytes: Math.round((bytes[i] ?? 0) / Math.max(1, count)),
    error: Object.fromEntries(names.map((name) => [name, summariseErrors(errors[i]?.get(name) ?? [])])),
  }));
}

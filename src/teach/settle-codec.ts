/** The heads' codec before unit 0: as asked or as the bounds on its error demand, and its measured error. */
import { codecSpec, type Codec } from '../cache/codec.ts';
import { manifestBytes } from '../cache/cache-reader.ts';
import { folderStore } from '../cache/folder-store.ts';
import type { JsonRecord } from '../cache/identity.ts';
import { decodeManifest } from '../cache/manifest.ts';
import { boundsRatio, chooseParameters, type ErrorBounds } from '../codec-error/choose-parameters.ts';
import {
  errorContext,
  measureCodecs,
  type ErrorView,
  type MeasuredCodec,
} from '../codec-error/measure-codec.ts';
import type { EngineOps } from '../engine/engine.ts';
import { SoftshardError } from '../errors.ts';
import type { HeadSpec } from '../model/detector.ts';
import { answerCodec, isSparse } from './answer-codec.ts';
import { HEADS_KIND } from './answers.ts';
import { errorViews, type ErrorViewsOptions } from './error-views.ts';

/** Views of the search; the result is measured over all, and searched again with tighter bounds where it must be. */
const SEARCH_VIEWS = 16;
const SEARCHES = 3;

/** Options that bound the error of the heads. */
export interface BoundOptions {
  readonly codec: string;
  readonly maxLossError?: number | undefined;
  readonly maxGradientError?: number | undefined;
  readonly maxTermError?: number | undefined;
}

/** The bounds that were asked for; undefined without any. Throws E_USAGE for a codec that has no parameters. */
export function errorBounds(options: BoundOptions): ErrorBounds | undefined {
  const { codec, maxLossError, maxGradientError, maxTermError } = options;
  if (maxLossError === undefined && maxGradientError === undefined && maxTermError === undefined)
    return undefined;
  if (!isSparse(codec)) {
    throw new SoftshardError('E_USAGE', {
      message: 'Only the codec sparse follows bounds on its error.',
      where: '--codec',
      expected: 'sparse',
      found: codec,
    });
  }
  const gradient = maxGradientError ?? maxLossError ?? (maxTermError ?? 0) / 3;
  return { loss: maxLossError ?? gradient, gradient, term: maxTermError ?? 3 * gradient };
}

/** The spec that a begun cache stores its heads in; undefined without one. */
export async function recordedHeadCodec(folder: string): Promise<string | undefined> {
  const store = folderStore(folder);
  if ((await store.get('cache.json')) === undefined) return undefined;
  const { extent } = decodeManifest(await manifestBytes(store));
  return extent.answers.find(({ kind }) => kind === HEADS_KIND)?.codec;
}

export interface SettledCodec {
  readonly codec: Codec;
  /** For the manifest; undefined where nothing was measured. */
  readonly measured: JsonRecord | undefined;
}

export interface SettleOptions {
  readonly spec: string;
  readonly bounds: ErrorBounds | undefined;
  readonly views: ErrorViewsOptions;
  readonly ops: EngineOps;
  readonly head: HeadSpec;
  readonly imgsz: number;
  /** Name of the student beside the noisy one, for the manifest. */
  readonly student: string;
}

/** Measures the codec of the heads, and chooses its parameters where there are bounds. Throws E_CODEC without any. */
export async function settleCodec(options: SettleOptions): Promise<SettledCodec> {
  const { spec, bounds, views, ops, head, imgsz, student } = options;
  const context = errorContext(ops, head, imgsz);
  const asked = answerCodec(spec);
  const measure = async (codec: Codec): Promise<MeasuredCodec> => {
    const [measured] = await measureCodecs([codec], errorViews(views), context);
    if (measured === undefined) throw new Error('one codec was measured');
    return measured;
  };
  const settled = (codec: Codec, { bytes, error }: MeasuredCodec): SettledCodec => ({
    codec,
    measured: {
      headsCodec: {
        spec: codecSpec(codec),
        views: Math.min(views.count, views.plan.samples * views.plan.views),
        students: [student, 'teacher+N(0,1)'],
        bytesPerView: bytes,
        relativeError: JSON.parse(JSON.stringify(error)) as JsonRecord,
      },
    },
  });
  if (bounds === undefined) return settled(asked, await measure(asked));
  const searched: ErrorView[] = [];
  for await (const view of errorViews({ ...views, count: Math.min(views.count, SEARCH_VIEWS) }))
    searched.push(view);
  let aim = bounds;
  let ratio = Infinity;
  let codec = asked;
  for (let search = 0; search < SEARCHES; search++) {
    ({ codec } = await chooseParameters(codec, aim, searched, context));
    const measured = await measure(codec);
    ratio = boundsRatio(measured.error, bounds);
    if (ratio <= 1) return settled(codec, measured);
    const tighter = 1.03 * ratio;
    aim = { loss: aim.loss / tighter, gradient: aim.gradient / tighter, term: aim.term / tighter };
  }
  throw new SoftshardError('E_CODEC', {
    message: 'No parameters of the codec sparse keep the bounds on its error.',
    expected: `loss ${bounds.loss}, gradient ${bounds.gradient}, each term's ${bounds.term}`,
    found: `${codecSpec(codec)}: ${ratio.toPrecision(3)} times a bound, over ${views.count} views`,
    remedy: 'Allow a larger error, or use --codec fp16.',
  });
}

/** Finds the parameters of the codec `sparse` whose measured error keeps bounds, at few bytes. */
import type { Codec } from '../cache/codec.ts';
import { SoftshardError } from '../errors.ts';
import { sparse } from '../head-codec/sparse.ts';
import { sparseOptions, sparseParams, type SparseOptions } from '../head-codec/sparse-options.ts';
import type { LossContext } from '../loss/loss.ts';
import type { CodecError, LossError } from './error-figures.ts';
import { measureCodecs, type ErrorView, type MeasuredCodec } from './measure-codec.ts';

/** Largest relative errors, of the mean over views. */
export interface ErrorBounds {
  /** Of the loss. */
  readonly loss: number;
  /** Of the whole gradient, in the worst head. */
  readonly gradient: number;
  /** Of the gradient of each term: box, objectness, classes. */
  readonly term: number;
}

const ROUNDS = 12;
/** In the rounds to this one parameters may become coarser; later they only become finer, so that it ends. */
const COARSER_ROUNDS = 5;
const MOST_COARSER = 1.4;
const MOST_FINER = 4;
/** Where the search aims below a bound: views that it has not seen are a little worse. */
const AIM = 0.93;
/** A change by less than this is not worth another round. */
const SETTLED = 1.06;

type Figures = Readonly<Record<keyof LossError, number>>;
const means = (error: CodecError, name: string): Figures => {
  const of = error[name];
  const zero = { mean: 0 };
  const { loss = zero, total = zero, box = zero, obj = zero, cls = zero } = of ?? {};
  return { loss: loss.mean, total: total.mean, box: box.mean, obj: obj.mean, cls: cls.mean };
};

/** The largest ratio of an error to its bound; the bounds are kept where it is at most 1. */
export function boundsRatio(error: CodecError, bounds: ErrorBounds): number {
  return Math.max(
    ...Object.keys(error).map((name) => {
      const { loss, total, box, obj, cls } = means(error, name);
      return Math.max(loss / bounds.loss, total / bounds.gradient, Math.max(box, obj, cls) / bounds.term);
    }),
  );
}

/** The next parameters to try: each follows the errors that it causes. */
function adjusted(
  options: SparseOptions,
  error: CodecError,
  bounds: ErrorBounds,
  coarser: number,
): SparseOptions {
  const l2 = means(error, 'l2');
  const soft = means(error, 'soft');
  const { loss, gradient, term } = bounds;
  const to = (ratio: number, power = 1): number =>
    Math.min(coarser, Math.max(1 / MOST_FINER, (AIM / Math.max(ratio, 1e-3)) ** power));
  const objectness = to(Math.max(l2.total / gradient, l2.obj / term, soft.obj / term));
  const floor = to(Math.max(l2.loss / loss, soft.loss / loss));
  const classes = to(l2.cls / term);
  const boxes = to(l2.box / term);
  // Peaks and jumps: their errors fall more slowly than the steps.
  const peaks = to(soft.cls / term, 1.5);
  const jumps = to(Math.max(soft.total / gradient, soft.box / term), 2);
  return limited({
    ...options,
    objectness: options.objectness * objectness,
    floor: options.floor * floor,
    classes: options.classes * classes,
    boxes: options.boxes * boxes,
    peaks: options.peaks / peaks,
    overlaps: (options.overlaps * boxes) / jumps,
  });
}

/** Three digits, and within what the codec takes. */
function limited(options: SparseOptions): SparseOptions {
  const three = (value: number, least: number, most: number): number =>
    Number(Math.min(most, Math.max(least, value)).toPrecision(3));
  return {
    ...options,
    objectness: three(options.objectness, 1e-4, 1),
    floor: three(options.floor, 1e-5, 0.05),
    classes: three(options.classes, 1e-3, 2),
    boxes: three(options.boxes, 1e-3, 2),
    peaks: three(options.peaks, 0.25, 64),
    overlaps: Math.round(Math.min(4096, Math.max(1, options.overlaps))),
  };
}

const settled = (a: SparseOptions, b: SparseOptions): boolean =>
  (['objectness', 'classes', 'boxes'] as const).every(
    (name) => Math.max(a[name] / b[name], b[name] / a[name]) < SETTLED,
  );

export interface ChosenParameters extends MeasuredCodec {
  readonly codec: Codec;
}

/**
 * Searches from the codec's own parameters, over `views`. The result keeps the bounds on them with the fewest bytes
 * that were seen. Throws E_CODEC, naming what came nearest, when no parameters keep them.
 */
export async function chooseParameters(
  codec: Codec,
  bounds: ErrorBounds,
  views: readonly ErrorView[],
  context: LossContext,
): Promise<ChosenParameters> {
  let options = limited(sparseOptions(codec.params));
  let best: ChosenParameters | undefined;
  let nearest = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const tried = sparse(sparseParams(options));
    const [measured] = await measureCodecs([tried], views, context);
    if (measured === undefined) break;
    const ratio = boundsRatio(measured.error, bounds);
    nearest = Math.min(nearest, ratio);
    if (ratio <= 1 && measured.bytes < (best?.bytes ?? Infinity)) best = { ...measured, codec: tried };
    const next = adjusted(options, measured.error, bounds, round < COARSER_ROUNDS ? MOST_COARSER : 1);
    if (best !== undefined && settled(options, next)) break;
    options = next;
  }
  if (best !== undefined) return best;
  throw new SoftshardError('E_CODEC', {
    message: 'No parameters of the codec sparse keep the bounds on its error.',
    expected: `loss ${bounds.loss}, gradient ${bounds.gradient}, each term's ${bounds.term}`,
    found: `at best ${nearest.toPrecision(3)} times a bound, over ${views.length} views`,
    remedy: 'Allow a larger error, or use --codec fp16.',
  });
}

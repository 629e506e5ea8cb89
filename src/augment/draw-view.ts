/** Draws a view: everything random about it, once, as final values. */
import { SoftshardError } from '../errors.ts';
import type { PixelSize } from '../data/rgb-image.ts';
import type { ViewKey } from '../data/plan.ts';
import type { Composition, PlacedImage, ViewRecord } from '../data/view.ts';
import { beta } from '../random/beta.ts';
import { chance, drawKey, uniform, type DrawKey } from '../random/keyed.ts';
import { permutation } from '../random/permutation.ts';
import { refuseCopyPaste, type Augmentation } from './augmentation.ts';
import { drawWarp } from './draw-warp.ts';
import { isIdentity } from './matrix3.ts';
import { partnerDraw, type PartnerDraw, type SampleTable } from './partners.ts';
import { cellSide, placeInMosaic, placeInNine, placeLetterboxed, type SizedSample } from './place-image.ts';

/** Every purpose that views draw for; `second` is the composition that is mixed in. */
export const VIEW_PURPOSES = [
  'view.mosaic',
  'view.mosaic9',
  'view.mixup',
  'view.mixup-weight',
  'view.hsv',
  'view.flip',
  'view.first.center',
  'view.first.partners',
  'view.first.order',
  'view.first.warp',
  'view.second.center',
  'view.second.partners',
  'view.second.order',
  'view.second.warp',
] as const;
type ViewPurpose = (typeof VIEW_PURPOSES)[number];
type Slot = 'first' | 'second';

/** What a composition is drawn from. */
interface Drawing {
  readonly samples: SampleTable;
  readonly imageSize: number;
  readonly augmentation: Augmentation;
  readonly key: (purpose: ViewPurpose) => DrawKey;
  readonly partner: PartnerDraw;
}

function sized(samples: SampleTable, sample: number): SizedSample {
  const size = samples[sample];
  if (size !== undefined) return { sample, width: size.width, height: size.height };
  throw new SoftshardError('E_INTERNAL', {
    message: 'A view of a sample that the data set does not hold.',
    expected: `0…${samples.length - 1}`,
    found: String(sample),
  });
}

/** `sample` and others drawn with replacement, as many as `count` says, in drawn order. */
function drawMembers(drawing: Drawing, sample: number, slot: Slot, count: number): SizedSample[] {
  const { samples, key, partner } = drawing;
  const partners = key(`view.${slot}.partners`);
  const members = [sample, ...Array.from({ length: count - 1 }, (_, i) => partner(partners, i))];
  const order = permutation(key(`view.${slot}.order`), count);
  return Array.from(order, (member) => sized(samples, members[member] ?? sample));
}

/** The four images of a mosaic around a drawn centre. */
function drawFour(drawing: Drawing, sample: number, slot: Slot): PlacedImage[] {
  const { imageSize: s, key } = drawing;
  const center = key(`view.${slot}.center`);
  // From half a side to one and a half: where the four meet stays inside the crop.
  const yc = Math.trunc(uniform(center, 0, Math.ceil(s / 2), 2 * s + Math.floor(-s / 2)));
  const xc = Math.trunc(uniform(center, 1, Math.ceil(s / 2), 2 * s + Math.floor(-s / 2)));
  return drawMembers(drawing, sample, slot, 4).map((image, position) =>
    placeInMosaic(image, position, [xc, yc], s),
  );
}

/** The nine images of a mosaic around a middle cell that is drawn as `drawFour` draws the centre. */
function drawNine(drawing: Drawing, sample: number, slot: Slot): PlacedImage[] {
  const { imageSize: s, key } = drawing;
  const center = key(`view.${slot}.center`);
  const cell = cellSide(s);
  // Its middle stays half a cell and more inside the canvas, so that it is never cut.
  const begin = (index: number): number =>
    Math.trunc(uniform(center, index, Math.ceil(cell / 2), 2 * s - cell - Math.ceil(cell / 2)));
  const y = begin(0);
  const x = begin(1);
  return drawMembers(drawing, sample, slot, 9).map((image, position) =>
    placeInNine(image, position, [x, y], s),
  );
}

/** A mosaic of four, or with probability `mosaic9` of nine, warped. */
function drawMosaic(drawing: Drawing, sample: number, slot: Slot): Composition {
  const { imageSize: s, augmentation, key } = drawing;
  const nine = chance(key('view.mosaic9'), slot === 'first' ? 0 : 1, augmentation.mosaic9 ?? 0);
  const canvas = { width: 2 * s, height: 2 * s };
  const warp = drawWarp(key(`view.${slot}.warp`), canvas, { width: s, height: s }, augmentation);
  return {
    kind: nine ? 'mosaic9' : 'mosaic4',
    canvasWidth: canvas.width,
    canvasHeight: canvas.height,
    images: (nine ? drawNine : drawFour)(drawing, sample, slot),
    matrix: warp.matrix,
    warpScale: warp.scale,
  };
}

/** `sample` letterboxed, then warped unless the warp drawn is the identity. */
function drawLetterbox(drawing: Drawing, sample: number, canvas: PixelSize): Composition {
  const { samples, imageSize, augmentation, key } = drawing;
  const warp = drawWarp(key('view.first.warp'), canvas, canvas, augmentation);
  return {
    kind: 'letterbox',
    canvasWidth: canvas.width,
    canvasHeight: canvas.height,
    images: [placeLetterboxed(sized(samples, sample), imageSize, canvas)],
    ...(isIdentity(warp.matrix) ? {} : { matrix: warp.matrix }),
    warpScale: warp.scale,
  };
}

function checkImageSize(imageSize: number): void {
  if (Number.isInteger(imageSize) && imageSize >= 2 && imageSize % 2 === 0) return;
  throw new SoftshardError('E_USAGE', {
    message: 'The image size of a view cannot be used.',
    expected: 'an even number of pixels (a multiple of the largest stride)',
    found: String(imageSize),
  });
}

/**
 * Draws view `key.view` of sample `key.sample` at imageSize x imageSize: a mosaic with probability `mosaic` (of nine with
 * probability `mosaic9`, else of four; mixed up with a second one with probability `mixup`, weight ~ Beta(32, 32)), else a letterbox; then colour gains
 * 1 + U(-1, 1) * (hsv_h, hsv_s, hsv_v) and flips. A pure function of its arguments; only the sizes of the samples
 * are looked at, and which are labelled: the partners of a labelled sample, in its mosaic and mixed in, are drawn among
 * the labelled samples, those of an unlabelled one among all; so the views of labelled samples stay labelled. Throws
 * E_HYP when `copy_paste` is above 0, E_USAGE on an odd image size or a bad seed. A `shape` other than the square is for
 * letterboxes alone: `mosaic` must be 0 then.
 */
export function drawView(
  { sample, view }: ViewKey,
  samples: SampleTable,
  imageSize: number,
  augmentation: Augmentation,
  seed: number,
  shape: PixelSize = { width: imageSize, height: imageSize },
): ViewRecord {
  refuseCopyPaste(augmentation);
  checkImageSize(imageSize);
  const key = (purpose: ViewPurpose): DrawKey => drawKey(seed, purpose, sample, view);
  const partner = partnerDraw(samples, sample);
  const drawing: Drawing = { samples, imageSize, augmentation, key, partner };
  const { hsv_h: hue, hsv_s: saturation, hsv_v: value, fliplr, flipud } = augmentation;
  const mosaic = chance(key('view.mosaic'), 0, augmentation.mosaic);
  const mixup = mosaic && chance(key('view.mixup'), 0, augmentation.mixup);
  const gain = (index: number, range: number): number => 1 + uniform(key('view.hsv'), index, -1, 1) * range;
  return {
    sample,
    view,
    width: shape.width,
    height: shape.height,
    composition: mosaic ? drawMosaic(drawing, sample, 'first') : drawLetterbox(drawing, sample, shape),
    ...(mixup && {
      mixup: {
        lambda: beta(key('view.mixup-weight'), 0, 32, 32),
        composition: drawMosaic(drawing, partner(key('view.mixup'), 1), 'second'),
      },
    }),
    ...((hue > 0 || saturation > 0 || value > 0) && {
      hsv: [gain(0, hue), gain(1, saturation), gain(2, value)] as const,
    }),
    flipVertical: chance(key('view.flip'), 0, flipud),
    flipHorizontal: chance(key('view.flip'), 1, fliplr),
  };
}

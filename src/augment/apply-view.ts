/** Replays a view from its record alone: no draw is made, no trigonometry called. */
import { pixelsFor } from '../data/rgb-image.ts';
import type { ViewLabel, ViewRecord } from '../data/view.ts';
import { compose, type ImageOf } from './compose.ts';
import { flipHorizontally, flipVertically } from './flip.ts';
import { applyHsvGain } from './hsv-gain.ts';
import { createScratch, type Scratch } from './scratch.ts';
import { viewLabels, type LabelsOf } from './view-labels.ts';

export interface AppliedView {
  /** uint8 RGB, [height, width, 3]. */
  readonly pixels: Uint8Array;
  /** Undefined when any sample shown is unlabelled. */
  readonly labels: readonly ViewLabel[] | undefined;
}

export interface ApplyOptions {
  /** Where the pixels go (height * width * 3 bytes); a new array by default. */
  readonly into?: Uint8Array;
  /** Buffers to use again; must not serve two views at once. */
  readonly scratch?: Scratch;
}

/** trunc(lambda * a + (1 - lambda) * b) in float64, into a. */
function blend(a: Uint8Array, b: Uint8Array, lambda: number): void {
  const rest = 1 - lambda;
  for (let i = 0; i < a.length; i++) a[i] = (a[i] ?? 0) * lambda + (b[i] ?? 0) * rest;
}

/**
 * The pixels and labels of a view: composition, mixup, colour, vertical then horizontal flip. Rejects with whatever
 * `imageOf` throws, E_INTERNAL when `into` has the wrong length.
 */
export async function applyView(
  record: ViewRecord,
  imageOf: ImageOf,
  labelsOf: LabelsOf,
  options: ApplyOptions = {},
): Promise<AppliedView> {
  const { scratch = createScratch() } = options;
  const pixels = pixelsFor(record, options.into, 'applyView');
  await compose(record.composition, record, imageOf, pixels, scratch);
  if (record.mixup !== undefined) {
    const second = scratch.bytes('second', pixels.length);
    await compose(record.mixup.composition, record, imageOf, second, scratch);
    blend(pixels, second, record.mixup.lambda);
  }
  if (record.hsv !== undefined) applyHsvGain(pixels, record.hsv);
  if (record.flipVertical) flipVertically(pixels, record);
  if (record.flipHorizontal) flipHorizontally(pixels, record);
  return { pixels, labels: viewLabels(record, labelsOf) };
}

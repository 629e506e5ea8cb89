/** Maps boxes of the network's input back to the original image (YOLOv5 v7.0 convention). */
import type { Box, Size } from './box.ts';

/** How an image was brought to the network's input: enlarged by `gain`, then shifted by the pads, pixels. */
export interface RatioPad {
  /** Loaded height over original height; one number for both axes. */
  readonly gain: number;
  /** Left and top padding as letterbox computed them; may end in .5. */
  readonly padX: number;
  readonly padY: number;
}

/** The gain and pads of a centred letterbox from `original` to `input`, when none was recorded. */
export function letterboxRatioPad(input: Size, original: Size): RatioPad {
  const gain = Math.min(input.height / original.height, input.width / original.width);
  return {
    gain,
    padX: (input.width - original.width * gain) / 2,
    padY: (input.height - original.height * gain) / 2,
  };
}

/**
 * Boxes in pixels of the original, in float32: `(x - pad) / gain`, clipped to the image. Everything else of each
 * box is kept; the input is left alone. `ratioPad` defaults to that of a centred letterbox.
 */
export function scaleBoxes<B extends Box>(
  boxes: readonly B[],
  input: Size,
  original: Size,
  ratioPad: RatioPad = letterboxRatioPad(input, original),
): B[] {
  const f = Math.fround;
  const back = (value: number, pad: number, limit: number): number =>
    Math.min(Math.max(f(f(value - f(pad)) / f(ratioPad.gain)), 0), limit);
  return boxes.map((box) => ({
    ...box,
    x1: back(box.x1, ratioPad.padX, original.width),
    y1: back(box.y1, ratioPad.padY, original.height),
    x2: back(box.x2, ratioPad.padX, original.width),
    y2: back(box.y2, ratioPad.padY, original.height),
  }));
}

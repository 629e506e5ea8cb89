/** Data sets of boxes, made from a seed, that COCO's evaluation is compared on. */
import type { Annotation } from '../../src/data/sample.ts';
import type { Detection } from '../../src/metric/box.ts';
import { drawKey, unitUniform } from '../../src/random/keyed.ts';

export interface CocoCase {
  readonly classes: number;
  readonly images: readonly {
    readonly annotations: readonly Annotation[];
    readonly detections: readonly Detection[];
  }[];
}

/** Boxes of all sizes, some of them crowds; detections near them, beside them, of other classes, of equal scores. */
export function cocoCase(seed: number, images: number, classes: number): CocoCase {
  const key = drawKey(seed, 'coco-case', 0);
  let drawn = 0;
  const unit = (): number => unitUniform(key, drawn++);
  const below = (count: number): number => Math.floor(unit() * count);
  const f = Math.fround;
  const annotation = (): Annotation => {
    // Sides from 4 to 400 pixels, as many of each order of magnitude.
    const [width, height] = [4 * 100 ** unit(), 4 * 100 ** unit()];
    return {
      classIndex: below(classes),
      left: unit() * 300,
      top: unit() * 300,
      width,
      height,
      area: width * height * (0.4 + 0.6 * unit()),
      kind: unit() < 0.15 ? 'crowd' : 'object',
    };
  };
  const near = ({ classIndex, left, top, width, height }: Annotation): Detection => {
    const shift = (): number => (unit() < 0.1 ? 0 : (unit() - 0.5) * 0.2);
    const [x1, y1] = [left + width * shift(), top + height * shift()];
    return {
      classIndex: unit() < 0.9 ? classIndex : below(classes),
      x1: f(x1),
      y1: f(y1),
      x2: f(x1 + width * (1 + shift())),
      y2: f(y1 + height * (1 + shift())),
      score: f(unit() < 0.3 ? below(20) / 20 : unit()),
    };
  };
  return {
    classes,
    images: Array.from({ length: images }, () => {
      const annotations = Array.from({ length: below(9) }, annotation);
      const detections = [
        ...annotations.flatMap((truth) => Array.from({ length: below(4) }, () => near(truth))),
        ...Array.from({ length: below(6) }, () => near(annotation())),
      ];
      return { annotations, detections: detections.sort((a, b) => b.score - a.score) };
    }),
  };
}

import type { Gains } from './loss.ts';

/** What the gains depend on. */
export interface GainScale {
  /** Number of classes. */
  readonly nc: number;
  /** Number of levels. */
  readonly levels: number;
  /** Training size, pixels (the longer side). */
  readonly imgsz: number;
}

/**
 * Scales the gains of a hyper-parameter file, which are meant for 3 levels, 80 classes and 640 pixels, to a model
 * (YOLOv5 v7.0 convention): box by 3/levels, cls by nc/80 * 3/levels, obj by (imgsz/640)^2 * 3/levels. Done once.
 */
export function scaleGains(gains: Gains, { nc, levels, imgsz }: GainScale): Gains {
  const perLevel = 3 / levels;
  return {
    box: gains.box * perLevel,
    obj: gains.obj * (imgsz / 640) ** 2 * perLevel,
    cls: gains.cls * (nc / 80) * perLevel,
  };
}

/** COCO's figures in an evaluation: in place of YOLOv5's mAP, and as text. */
import type { CocoFigures, CocoResult } from '../metric/coco-metrics.ts';
import type { EvaluationResult } from '../metric/detection-metrics.ts';

/** The twelve numbers without the classes. */
export function cocoFigures({ per_class: _, ...figures }: CocoResult): CocoFigures {
  return figures;
}

/** An evaluation whose mAP, in all and a class, is COCO's; precision and recall stay. 0 where COCO has no figure. */
export function withCocoPrecision(metrics: EvaluationResult, coco: CocoResult): EvaluationResult {
  const classes = new Map(coco.per_class.map((found) => [found.class, found]));
  return {
    ...metrics,
    mAP50: coco.AP50 ?? 0,
    mAP50_95: coco.AP ?? 0,
    per_class: metrics.per_class.map((found) => ({
      ...found,
      mAP50: classes.get(found.class)?.AP50 ?? 0,
      mAP50_95: classes.get(found.class)?.AP ?? 0,
    })),
  };
}

/** All twelve on two lines, for a person. */
export function cocoText(figures: CocoFigures): string {
  const all = Object.entries(figures) as readonly (readonly [string, number | null])[];
  const written = all.map(([name, value]) => `${name} ${value === null ? '–' : value.toFixed(4)}`);
  return [`COCO: ${written.slice(0, 6).join(', ')}`, `      ${written.slice(6).join(', ')}`].join('\n');
}

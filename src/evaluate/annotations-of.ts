/** What COCO's evaluation measures an image against. */
import type { Annotation, Sample } from '../data/sample.ts';

/** The annotations of a sample's file; where it has boxes only, objects of the boxes' areas, in pixels. */
export function annotationsOf(sample: Sample): readonly Annotation[] {
  if (sample.annotations !== undefined) return sample.annotations;
  return (sample.labels ?? []).map(({ classIndex, cx, cy, w, h }) => {
    const [width, height] = [w * sample.width, h * sample.height];
    return {
      classIndex,
      left: cx * sample.width - width / 2,
      top: cy * sample.height - height / 2,
      width,
      height,
      area: width * height,
      kind: 'object',
    };
  });
}

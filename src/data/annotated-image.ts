/** Objects of an image as an annotation file of pixel boxes (COCO, Pascal VOC) has them, and the labels made of them. */
import { withoutDuplicates } from './label-file.ts';
import type { LabelProblem } from './label-row.ts';
import type { Annotation, BoxLabel } from './sample.ts';

/** An annotation and where in its file it stands, for messages: its line, or in words, such as `annotation 17`. */
export interface PositionedAnnotation extends Annotation, Pick<LabelProblem, 'line' | 'position'> {}

/** What a file says of one image. */
export interface AnnotatedImage {
  /** The annotation file, absolute. */
  readonly file: string;
  /** Size the boxes refer to, pixels; undefined where the file does not say: that of the image. */
  readonly size: { readonly width: number; readonly height: number } | undefined;
  readonly annotations: readonly PositionedAnnotation[];
  /** The class of the image as a whole, where that is all that is known: one label, over all of it. */
  readonly imageClass?: number;
  /** The first fault of the file in what concerns this image. */
  readonly problem?: LabelProblem;
}

/** The content of the annotation files of a source. */
export interface AnnotatedImages {
  readonly names: readonly string[];
  /** All images of the source, by absolute path. */
  readonly images: ReadonlyMap<string, AnnotatedImage>;
  /** What was left out, for a person. */
  readonly warnings: readonly string[];
}

/** Reads the annotations of a source; `names` are class names given from outside, where there are any. */
export type AnnotationReader = (names: readonly string[] | undefined) => Promise<AnnotatedImages>;

export type AnnotatedLabels =
  | { readonly labels: readonly BoxLabel[]; readonly annotations: readonly Annotation[] }
  | { readonly problem: LabelProblem };

const place = ({ line, position }: PositionedAnnotation): Pick<LabelProblem, 'line' | 'position'> => ({
  ...(line === undefined ? {} : { line }),
  ...(position === undefined ? {} : { position }),
});

/**
 * The labels of an image of `width` x `height` pixels: centre and size of each object's box, normalised, float32;
 * crowds and difficult objects are none. Equal labels count once. The first fault comes back as `problem`: a size that
 * is not the image's, a box outside of it.
 */
export function annotatedLabels(image: AnnotatedImage, width: number, height: number): AnnotatedLabels {
  const { size, annotations, imageClass, problem } = image;
  if (problem !== undefined) return { problem };
  if (size !== undefined && (size.width !== width || size.height !== height)) {
    const message = 'The annotations are of an image of another size.';
    const expected = `${width} x ${height} pixels, as the image has upright`;
    const found = `${size.width} x ${size.height}`;
    return { problem: { kind: 'malformed', message, expected, found } };
  }
  if (imageClass !== undefined)
    return { labels: [{ classIndex: imageClass, cx: 0.5, cy: 0.5, w: 1, h: 1 }], annotations: [] };
  const labels: BoxLabel[] = [];
  for (const annotation of annotations) {
    const { classIndex, kind, ...box } = annotation;
    if (kind !== 'object') continue;
    const cx = Math.fround((box.left + box.width / 2) / width);
    const cy = Math.fround((box.top + box.height / 2) / height);
    const w = Math.fround(box.width / width);
    const h = Math.fround(box.height / height);
    if (![cx, cy, w, h].every((value) => value >= 0 && value <= 1)) {
      const found = `left ${box.left}, top ${box.top}, width ${box.width}, height ${box.height}`;
      const message = 'A box that lies outside the image.';
      const expected = `a box with its centre in ${width} x ${height} pixels, and no larger`;
      return { problem: { ...place(annotation), kind: 'malformed', message, expected, found } };
    }
    labels.push({ classIndex, cx, cy, w, h });
  }
  return {
    labels: withoutDuplicates(labels),
    annotations: annotations.map(({ position: _, line: __, ...annotation }) => annotation),
  };
}

/** Lines about what was left out of `file`: the first few positions, and how many there are. */
export function leftOut(file: string, what: string, positions: readonly string[]): readonly string[] {
  if (positions.length === 0) return [];
  const shown = positions.slice(0, 5).join(', ');
  return [`${file}: ${positions.length} left out, ${what}: ${shown}${positions.length > 5 ? ', …' : ''}`];
}

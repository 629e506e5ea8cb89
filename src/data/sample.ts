/** What a data set holds, before any augmentation. */

/** One object: class index and box normalised to the image (after EXIF orientation), float64 in 0…1. */
export interface BoxLabel {
  readonly classIndex: number;
  readonly cx: number;
  readonly cy: number;
  readonly w: number;
  readonly h: number;
}

/**
 * One object or region as the annotation file has it, in pixels of the image: what COCO's evaluation measures against.
 * A `crowd` holds many objects, a `difficult` one need not be found: neither is learned from or counted as missed, nor
 * is a detection there false.
 */
export interface Annotation {
  readonly classIndex: number;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Square pixels: of the outline where the file has one, else of the box. */
  readonly area: number;
  readonly kind: 'object' | 'crowd' | 'difficult';
}

/**
 * One image of a data set. `labels` is undefined where nothing is known about the image (an unlabelled sample);
 * an empty array says that nothing is there.
 */
export interface Sample {
  /** Position in the data set's order, 0-based. */
  readonly index: number;
  /** POSIX path relative to the data set's root; the sample's name in every record. */
  readonly path: string;
  /** Absolute path of the image file. */
  readonly file: string;
  /** sha256 of the image file's bytes, hex. */
  readonly digest: string;
  /** Size in pixels after EXIF orientation. */
  readonly width: number;
  readonly height: number;
  readonly labels: readonly BoxLabel[] | undefined;
  /** Where the annotation file says more than `labels` (COCO, Pascal VOC): all it says. Not part of any digest. */
  readonly annotations?: readonly Annotation[];
}

/** A data set read from disk: its samples in byte order of their paths, and its class names. */
export interface Dataset {
  readonly root: string;
  readonly split: string;
  readonly names: readonly string[];
  /** False where nothing names the classes and `names` are placeholders. */
  readonly namesKnown: boolean;
  readonly samples: readonly Sample[];
  /** sha256 over paths and image digests (not labels), hex: the data part of a cache's identity. */
  readonly digest: string;
  /** sha256 over the labels, hex: part of a run's identity. */
  readonly labelsDigest: string;
  /** What was left out, with the reason (file, line). */
  readonly dropped: readonly { readonly path: string; readonly reason: string }[];
}

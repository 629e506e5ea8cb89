import type { HeadSpec } from '../../src/model/detector.ts';

/** YOLOv5's anchors, pixels. */
const ANCHORS: HeadSpec['anchors'] = [
  [
    [10, 13],
    [16, 30],
    [33, 23],
  ],
  [
    [30, 61],
    [62, 45],
    [59, 119],
  ],
  [
    [116, 90],
    [156, 198],
    [373, 326],
  ],
];

/** YOLOv5's head with three levels and `nc` classes. */
export const headSpec = (nc: number): HeadSpec => ({
  nc,
  na: 3,
  no: nc + 5,
  strides: [8, 16, 32],
  anchors: ANCHORS,
  names: Array.from({ length: nc }, (_, i) => `class ${i}`),
});

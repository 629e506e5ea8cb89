/** How much is measured: enough to mean something, or just enough to see that every benchmark works. */
export interface BenchScale {
  /** Side of the images, pixels. */
  readonly size: number;
  /** The engines' comparison. */
  readonly batch: number;
  readonly wasmBatch: number;
  readonly widths: readonly (0.125 | 0.25)[];
  readonly rounds: number;
  readonly blockMs: number;
  readonly warmUp: number;
  /** Answers in the cache that is written and read. */
  readonly cacheViews: number;
  /** Images that are decoded, taught and trained on. */
  readonly images: number;
  readonly trainBatch: number;
  /** Images of which the memory is measured once; ten times as many make the second measurement. */
  readonly memoryImages: number;
  /** Credits of the memory's measurement, MB: fewer than the smaller set needs. */
  readonly memoryCredits: number;
  /** Views that a teacher of the larger kind answers. */
  readonly teacherImages: number;
  /** Model descriptions of the teachers whose parts are measured. */
  readonly teachers: readonly string[];
}

export const FULL: BenchScale = {
  size: 320,
  batch: 8,
  wasmBatch: 2,
  widths: [0.125, 0.25],
  rounds: 5,
  blockMs: 1500,
  warmUp: 3,
  cacheViews: 256,
  images: 256,
  trainBatch: 16,
  memoryImages: 240,
  memoryCredits: 96,
  teacherImages: 64,
  teachers: ['yolov5n.yaml', 'yolov5s.yaml', 'yolov5m.yaml'],
};

export const QUICK: BenchScale = {
  size: 64,
  batch: 2,
  wasmBatch: 1,
  widths: [0.125],
  rounds: 2,
  blockMs: 1,
  warmUp: 2,
  cacheViews: 8,
  images: 8,
  trainBatch: 4,
  memoryImages: 4,
  memoryCredits: 64,
  teacherImages: 8,
  teachers: ['yolov5p.yaml'],
};

/** The one number by which checkpoints are compared: 0.1·mAP50 + 0.9·mAP50-95 (YOLOv5 convention), 0…1. */
export const fitness = (metrics: { readonly mAP50: number; readonly mAP50_95: number }): number =>
  0.1 * metrics.mAP50 + 0.9 * metrics.mAP50_95;

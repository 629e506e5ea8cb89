/**
 * Weights of the levels' objectness (YOLOv5 v7.0 convention): fine levels have more cells, hence smaller means, and
 * count more. [4, 1, 0.4] for three levels, else the first of [4, 1, 0.25, 0.06, 0.02].
 */
export const levelBalance = (levels: number): readonly number[] =>
  levels === 3 ? [4, 1, 0.4] : [4, 1, 0.25, 0.06, 0.02].slice(0, levels);

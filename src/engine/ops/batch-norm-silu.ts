/** Batch norm with SiLU after it, for engines without a kernel that does both. */
import type { EngineOps } from '../engine.ts';

/** Composes the two; the tensor between them is disposed, unless a gradient needs it. */
export const withSilu =
  (batchNormTrain: EngineOps['batchNormTrain'], silu: EngineOps['silu']): EngineOps['batchNormSiluTrain'] =>
  (x, gamma, beta, epsilon) => {
    const normal = batchNormTrain(x, gamma, beta, epsilon);
    const y = silu(normal.y);
    normal.y.dispose();
    return { ...normal, y };
  };

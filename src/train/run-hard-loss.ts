/** The loss against labels as a run's hyper-parameters make it. */
import { createHardLoss } from '../loss/hard-loss.ts';
import type { Gains, Loss } from '../loss/loss.ts';
import { scaleGains } from '../loss/scale-gains.ts';
import type { PreparedRun } from './prepare-run.ts';

/** The hard loss of a run, and the gains of its terms, scaled by levels, classes and image size. */
export function runHardLoss({ options, graph, hyp }: Pick<PreparedRun, 'options' | 'graph' | 'hyp'>): {
  readonly hard: Loss;
  readonly gains: Gains;
} {
  const { head } = graph;
  return {
    hard: createHardLoss({
      clsPw: hyp.cls_pw,
      objPw: hyp.obj_pw,
      labelSmoothing: hyp.label_smoothing,
      flGamma: hyp.fl_gamma,
      anchorThreshold: hyp.anchor_t,
    }),
    gains: scaleGains(
      { box: hyp.box, obj: hyp.obj, cls: hyp.cls },
      { nc: head.nc, levels: head.strides.length, imgsz: options.imgsz },
    ),
  };
}

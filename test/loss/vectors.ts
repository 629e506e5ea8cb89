/** The small vectors in fixtures/parity, typed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { repositoryRoot } from '../reference.ts';

type Matrix = readonly (readonly number[])[];
type Triple = readonly [number, number, number];

export interface LossCase {
  readonly loss: readonly [number];
  readonly items_box_obj_cls: Triple;
  /** Sum of the absolute gradient of each level. */
  readonly grad_abs_sum: Triple;
}

export interface LossVectors {
  readonly ciou: Readonly<Record<'pred_xywh' | 'true_xywh' | 'dciou_dpred', Matrix>> &
    Readonly<Record<'iou' | 'giou' | 'diou' | 'ciou', readonly number[]>>;
  readonly build_targets: readonly {
    readonly n: number;
    readonly rows_b_a_gj_gi_cls_tx_ty_tw_th_aw_ah: Matrix;
  }[];
  readonly loss_default: LossCase;
  readonly 'loss_label_smoothing_0.1': LossCase;
  readonly loss_pos_weight: LossCase;
  readonly 'loss_focal_1.5': LossCase;
  readonly loss_no_targets: { readonly loss: readonly [number]; readonly items: Triple };
  readonly adlik_output: {
    readonly loss_d10: number;
    readonly unweighted_sum_over_layers_box_obj_cls: Triple;
    readonly grad_abs_sum: Triple;
  };
  readonly setup: { readonly targets: Matrix; readonly nc: number; readonly batch: number };
}

interface HintonCase {
  readonly kl_T2: number;
  readonly softCE_T2: number;
  readonly grad: Matrix;
}

interface SigmoidCase {
  readonly bce_mean_T2: number;
  readonly grad: Matrix;
}

export interface DistillationVectors {
  readonly hinton_T1: HintonCase;
  readonly hinton_T2: HintonCase;
  readonly hinton_T4: HintonCase;
  readonly hinton_T20: HintonCase;
  readonly hard_ce: number;
  readonly zs: Matrix;
  readonly zt: Matrix;
  readonly y: readonly number[];
  readonly sigmoid_T1: SigmoidCase;
  readonly sigmoid_T2: SigmoidCase;
  readonly dkd_T4_a1_b8: { readonly tckd: number; readonly nckd: number; readonly loss: number };
  readonly fgd: {
    readonly boxes: readonly Matrix[];
    readonly img_hw: readonly [number, number];
    readonly Mfg: readonly Matrix[];
    readonly fg: number;
    readonly bg: number;
    readonly att: number;
  };
  readonly fitnet_half_sum_over_batch: number;
  readonly pkd: { readonly loss: number; readonly grad0: readonly number[] };
  readonly cwd_tau1: number;
  readonly cwd_tau4: number;
  readonly feat_mse_mean: number;
  readonly attention_transfer_mean: number;
}

const parity = (name: string): unknown =>
  JSON.parse(readFileSync(join(repositoryRoot, 'fixtures', 'parity', name), 'utf8'));

export const lossVectors = parity('loss.json') as LossVectors;
export const distillationVectors = parity('kd.json') as DistillationVectors;

/** Grids [ny, nx] of the 64 x 96 input of the loss vectors. */
export const VECTOR_GRIDS = [
  { ny: 8, nx: 12 },
  { ny: 4, nx: 6 },
  { ny: 2, nx: 3 },
] as const;

/** The loss vectors' prediction formula, in grid layout [2, ny, nx, 3, 8]. */
export function vectorHeads(of: (v: number) => number = (v) => v): tf.Tensor5D[] {
  return VECTOR_GRIDS.map(({ ny, nx }, level) => {
    const data = new Float32Array(2 * ny * nx * 3 * 8);
    let i = 0;
    for (let b = 0; b < 2; b++) {
      for (let y = 0; y < ny; y++) {
        for (let x = 0; x < nx; x++) {
          for (let a = 0; a < 3; a++) {
            for (let k = 0; k < 8; k++) {
              const step = (13 * b + 7 * a + 5 * y + 3 * x + 11 * k + 17 * level) % 29;
              data[i++] = of(step / 14 - 1 - (k === 4 ? 2 : 0));
            }
          }
        }
      }
    }
    return tf.tensor5d(data, [2, ny, nx, 3, 8]);
  });
}

export const vectorLabels = (): Float32Array => Float32Array.from(lossVectors.setup.targets.flat());

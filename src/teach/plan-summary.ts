/** What teaching would make, as plain data and as text: views, units, bytes, and whether they fit. */
import { resolve } from 'node:path';
import { bytesText } from '../cache/inspect.ts';
import type { Plan } from '../data/plan.ts';
import type { Dataset } from '../data/sample.ts';
import type { PlannedAnswers } from './plan-answers.ts';

export interface PlanSummary {
  readonly data: string;
  readonly split: string;
  readonly samples: number;
  readonly labelled: number;
  readonly unlabelled: number;
  /** What was left out, with the reason. */
  readonly dropped: readonly { readonly path: string; readonly reason: string }[];
  readonly classes: readonly string[];
  /** Digest of the data. */
  readonly digest: string;
  readonly imgsz: number;
  /** Views of all samples. */
  readonly views: number;
  readonly units: readonly { readonly unit: number; readonly view: number; readonly views: number }[];
  /** The answers to each view; empty where no teacher was named. */
  readonly answers: readonly {
    readonly kind: string;
    readonly codec: string;
    readonly blobs: readonly { readonly name: string; readonly shape: readonly number[] }[];
    readonly bytesPerView: number;
  }[];
  /** Bytes of the answers, of one view and of all, at most; null where no teacher was named. */
  readonly bytesPerView: number | null;
  readonly bytes: number | null;
  readonly target: {
    /** Folder that would be written into. */
    readonly folder: string;
    /** Bytes free there; null where nothing tells. */
    readonly freeBytes: number | null;
    /** Whether the answers fit; null where either number is unknown. */
    readonly fits: boolean | null;
  };
}

export interface PlanSummaryInput {
  readonly data: string;
  readonly dataset: Dataset;
  readonly plan: Plan;
  readonly imageSize: number;
  readonly planned: PlannedAnswers | undefined;
  readonly folder: string;
  readonly freeBytes: number | undefined;
}

/** Sums up a plan. */
export function planSummary(input: PlanSummaryInput): PlanSummary {
  const { data, dataset, plan, imageSize, planned, folder, freeBytes } = input;
  const labelled = dataset.samples.filter((sample) => sample.labels !== undefined).length;
  const views = plan.samples * plan.views;
  const bytes = planned === undefined ? null : planned.viewBytes * views;
  return {
    ...{ data, split: dataset.split, samples: dataset.samples.length },
    ...{ labelled, unlabelled: dataset.samples.length - labelled, dropped: dataset.dropped },
    ...{ classes: dataset.names, digest: dataset.digest, imgsz: imageSize, views },
    units: plan.units.map((unit) => ({ unit: unit.index, view: unit.view, views: unit.views.length })),
    answers: (planned?.answers ?? []).map(({ kind, codec, blobs, shapes, viewBytes }) => ({
      ...{ kind, codec, bytesPerView: viewBytes },
      blobs: blobs.map((name, i) => ({ name, shape: shapes[i] ?? [] })),
    })),
    bytesPerView: planned?.viewBytes ?? null,
    bytes,
    target: {
      folder: resolve(folder),
      freeBytes: freeBytes ?? null,
      fits: bytes === null || freeBytes === undefined ? null : bytes <= freeBytes,
    },
  };
}

const FITS = new Map<boolean | null, string>([
  [true, ': the answers fit'],
  [false, ': the answers do NOT fit'],
  [null, ''],
]);

/** The summary for a person. */
export function planText(plan: PlanSummary): string {
  const { answers, bytes, bytesPerView, target, units } = plan;
  const most = units[0]?.views ?? 0;
  return [
    `${plan.data}, split ${plan.split}: ${plan.samples} images, ${plan.labelled} labelled, ${plan.unlabelled} unlabelled, ${plan.dropped.length} dropped`,
    ...plan.dropped.map(({ path, reason }) => `  dropped ${path}: ${reason}`),
    `${plan.views} views at ${plan.imgsz} in ${units.length} ${units.length === 1 ? 'unit' : 'units'} of at most ${most}`,
    ...(bytes === null || bytesPerView === null
      ? ['answers: name a teacher (--weights FILE, or --cfg YAML alone) to see their bytes']
      : [
          `answers: ${bytesText(bytesPerView)} a view, ${bytesText(bytesPerView * most)} a unit, ${bytesText(bytes)} in all`,
          ...answers.map(
            ({ kind, codec, blobs, bytesPerView: own }) =>
              `  ${kind} in ${codec}: ${bytesText(own)} a view (${blobs.map(({ name, shape }) => `${name} ${shape.join('x')}`).join(', ')})`,
          ),
        ]),
    target.freeBytes === null
      ? `free space in ${target.folder}: unknown`
      : `free space in ${target.folder}: ${bytesText(target.freeBytes)}${FITS.get(target.fits) ?? ''}`,
    `data digest ${plan.digest}`,
  ].join('\n');
}

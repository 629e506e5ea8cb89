/** The native engine against the same detector, loss and step in plain PyTorch (`peer.py`). */
import { findNativeEngine, isFound } from '../src/engine/install/index.ts';
import { alternate, ratioOf, type AlternateOptions, type Timed } from './alternate.ts';
import { openCommand, own, peers, type Work } from './contestants.ts';
import { probePeer } from './probe-peer.ts';
import { caseOf, figuresOf } from './timed-figures.ts';
import type { BenchCase, BenchPart, Figure } from './report.ts';

const CONFIGS = { 0.125: 'yolov5p.yaml', 0.25: 'yolov5n.yaml' } as const;

export interface PeerBenchOptions extends AlternateOptions {
  readonly size: number;
  readonly batch: number;
  readonly widths: readonly (keyof typeof CONFIGS)[];
  /** The interpreter that has PyTorch. */
  readonly python: string;
}

/** Relative difference of the first results with which the work counts as the same. */
const AGREEMENT = 1e-4;
/** Of the later ones: what rounds otherwise takes other steps, ever further apart. */
const LATER_AGREEMENT = 1e-2;

/** Throws unless the contestants did the same work: equal numbers of parameters, and equal results. */
const checkSameWork = ([first, ...others]: readonly Timed[]): void => {
  for (const other of others) {
    if (first === undefined) return;
    // A slow one may have ended its warm-up early.
    const both = Math.min(first.values.length, other.values.length);
    const apart = first.values.slice(0, both).map((value, i) => {
      const theirs = other.values[i] ?? Number.NaN;
      return Math.abs(value - theirs) / Math.max(1, Math.abs(value));
    });
    if (
      first.parameters === other.parameters &&
      apart.every((difference, i) => difference <= (i === 0 ? AGREEMENT : LATER_AGREEMENT))
    )
      continue;
    throw new Error(
      `${first.name} and ${other.name} do not do the same work: ${first.parameters} and ${other.parameters} parameters, results ${first.values.join(', ')} and ${other.values.join(', ')}`,
    );
  }
};

/** The largest of our ratios against any of the others: PyTorch counts at its best. */
const worst = (ours: Timed, others: readonly Timed[], of: (a: Timed, b: Timed) => number): number =>
  Math.max(...others.map((other) => of(ours, other)));

const orNaN = (value: number | null): number => value ?? Number.NaN;
const peakRatio = (a: Timed, b: Timed): number => orNaN(a.peakMb) / orNaN(b.peakMb);
/** Without what the libraries occupy before any work: PyTorch's wheel for GPUs brings much that a CPU does not use. */
const grownRatio = (a: Timed, b: Timed): number =>
  (orNaN(a.peakMb) - orNaN(a.baseMb)) / (orNaN(b.peakMb) - orNaN(b.baseMb));

export const againstPeer = async (folder: string, options: PeerBenchOptions): Promise<BenchPart> => {
  const native = findNativeEngine();
  if (!isFound(native))
    return { figures: [], skipped: [`the comparison with PyTorch: no native engine, ${native.missing}`] };
  const missing = await probePeer(options.python);
  const figures: Figure[] = [];
  const cases: BenchCase[] = [];
  const ratios = { step: 0, forward: 0, memory: 0, memoryGrown: 0 };
  for (const mode of ['step', 'forward'] as const)
    for (const width of options.widths) {
      const work: Work = { mode, config: CONFIGS[width], batch: options.batch, size: options.size };
      const open = await openCommand(folder, work);
      const field = [
        own('native', 'own', open),
        ...(missing === undefined ? peers(options.python, open) : []),
      ];
      const timed = await alternate(field, options);
      checkSameWork(timed);
      const what = mode === 'step' ? 'training step (SGD, labels)' : 'forward, batch norm folded';
      figures.push(
        ...figuresOf(`${mode} ${width}`, timed, `${what}, ${work.size} pixels, batch ${work.batch}`),
      );
      cases.push(caseOf(work, width, timed));
      const [ours, ...others] = timed;
      if (ours === undefined || others.length === 0) continue;
      ratios[mode] = Math.max(ratios[mode], worst(ours, others, ratioOf));
      if (mode === 'forward') continue;
      ratios.memory = Math.max(ratios.memory, worst(ours, others, peakRatio));
      ratios.memoryGrown = Math.max(ratios.memoryGrown, worst(ours, others, grownRatio));
    }
  return missing === undefined
    ? { figures, cases, ratios }
    : { figures, cases, skipped: [`the comparison with PyTorch: ${missing}`] };
};

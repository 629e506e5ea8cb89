import { SoftshardError } from '../errors.ts';
import { isClassifier, type HeadSpec } from '../model/detector.ts';
import { checkTask } from './check-classifier.ts';
import { checkClasses, checkHeads } from './check-heads.ts';
import { needsHeads, type DistillationOptions } from './distillation-options.ts';
import { pairName } from './hint-pair.ts';
import { epochsOff, type Schedule } from './schedule.ts';

/** One of the two models: its head, and how many layers its graph has (the head counts as one). */
export interface DistillationParty {
  readonly head: HeadSpec;
  readonly layers: number;
}

export interface DistillationSetting {
  readonly student: DistillationParty;
  readonly teacher: DistillationParty;
  readonly epochs: number;
  /** Whether the teacher's detections are cached in place of its heads. */
  readonly hasDetections?: boolean;
}

function checkSchedule(schedule: Schedule, term: string, epochs: number): void {
  if (epochsOff(schedule, epochs) < epochs) return;
  throw new SoftshardError('E_LOSS', {
    message: `The ${term} would never be on.`,
    where: `${term}, schedule.offLastEpochs`,
    expected: `< ${epochs} epochs`,
    found: `${schedule.offLastEpochs}`,
  });
}

/**
 * Throws E_LOSS unless `options` make sense for these two models and this many epochs: equal heads where a term reads
 * them (see `checkHeads`; equal classes where it reads detections), hint layers that exist and come before the head, terms that are on in some epoch, and
 * some term with a weight.
 */
export function checkDistillation(
  options: DistillationOptions,
  { student, teacher, epochs, hasDetections = false }: DistillationSetting,
): void {
  const { output, hints, hard } = options;
  checkTask(options, student.head, teacher.head);
  if (isClassifier(student.head)) checkClasses(student.head, teacher.head);
  else if (needsHeads(options, hasDetections)) checkHeads(student.head, teacher.head);
  else if (output.kind !== 'none') checkClasses(student.head, teacher.head);
  if (output.kind !== 'none') {
    checkSchedule(output.schedule, 'output term', epochs);
  }
  for (const hint of hints) {
    const name = `hint ${pairName(hint)}`;
    for (const [whose, layer, { layers }] of [
      ['student', hint.student, student],
      ['teacher', hint.teacher, teacher],
    ] as const) {
      if (layer >= layers - 1) {
        throw new SoftshardError('E_LOSS', {
          message: `The ${whose} has no layer ${layer} that could be a hint.`,
          where: name,
          expected: `0...${layers - 2}`,
          found: `${layer}`,
        });
      }
    }
    checkSchedule(hint.schedule, name, epochs);
  }
  const weights = [
    hard.weight,
    output.kind === 'none' ? 0 : output.weight,
    ...hints.map((hint) => hint.weight),
  ];
  if (weights.every((weight) => weight === 0)) {
    throw new SoftshardError('E_LOSS', {
      message: 'No term of the loss has a weight: nothing would be learnt.',
      found: 'hard, output and hints all 0 or none',
    });
  }
}

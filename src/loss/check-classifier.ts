/** Whether the distillation options of a training fit what the student is: a classifier, or a detector. */
import { isDeepStrictEqual } from 'node:util';
import { SoftshardError } from '../errors.ts';
import { isClassifier, type HeadSpec } from '../model/detector.ts';
import { outputOptionsSchema, type DistillationOptions } from './distillation-options.ts';

const refuse = (message: string, where: string, expected: string, found: string): SoftshardError =>
  new SoftshardError('E_LOSS', { message, where, expected, found });

const taskOf = (head: HeadSpec): string => (isClassifier(head) ? 'a classifier' : 'a detector');

/**
 * Throws E_LOSS where settings are of the other task (`output` for a classifier, `classifier` for a detector), and
 * where student and teacher are of different tasks.
 */
export function checkTask(options: DistillationOptions, student: HeadSpec, teacher: HeadSpec): void {
  if (isClassifier(student) !== isClassifier(teacher)) {
    const message = 'Student and teacher have different tasks.';
    throw refuse(message, 'distill', `${taskOf(teacher)}, as the teacher`, taskOf(student));
  }
  if (!isClassifier(student)) {
    if (options.classifier === undefined) return;
    throw refuse(
      'The student is no classifier.',
      'distill.classifier',
      'distill.output',
      'distill.classifier',
    );
  }
  const { output, hints } = options;
  if (output.kind !== 'none' && !isDeepStrictEqual(output, outputOptionsSchema.parse({}))) {
    const message = 'A classifier is distilled by its logits, not by the heads of a detector.';
    throw refuse(message, 'distill.output', 'distill.classifier', `distill.output.kind ${output.kind}`);
  }
  const weighed = hints.find(({ pixels = 'all' }) => pixels !== 'all');
  if (weighed !== undefined) {
    const message = 'Only a detector says which pixels count.';
    throw refuse(message, 'distill.hints', 'pixels: all', `pixels: ${weighed.pixels ?? 'all'}`);
  }
}

import { SoftshardError } from '../errors.ts';
import type { HeadSpec } from '../model/detector.ts';

/** Anchors are stored in 16 bits in many checkpoints: what differs less is equal. */
const ANCHOR_TOLERANCE = 1e-3;

const sides = (anchors: HeadSpec['anchors']): number[] => anchors.flat(2);

const sameAnchors = (a: HeadSpec, b: HeadSpec): boolean => {
  const [own, other] = [sides(a.anchors), sides(b.anchors)];
  return (
    own.length === other.length &&
    own.every((side, i) => Math.abs(side - (other[i] ?? NaN)) <= ANCHOR_TOLERANCE * Math.abs(side))
  );
};

/** The same names in another order: class indices that mean different things. */
const reordered = (a: HeadSpec, b: HeadSpec): boolean =>
  a.names.some((name, i) => name !== b.names[i]) &&
  [...a.names].sort().join('\n') === [...b.names].sort().join('\n');

const shown = (anchors: HeadSpec['anchors']): string => JSON.stringify(anchors);

type Field = readonly [name: string, equal: boolean, own: string, other: string];

function refuseDifferent(fields: readonly Field[], remedy: string): void {
  const differing = fields.find(([, equal]) => !equal);
  if (differing === undefined) return;
  const [name, , own, other] = differing;
  throw new SoftshardError('E_LOSS', {
    message: `Teacher and student differ in their ${name}: their outputs cannot be compared.`,
    expected: `${other} (teacher)`,
    found: `${own} (student)`,
    remedy,
  });
}

const classCount = (student: HeadSpec, teacher: HeadSpec): Field => [
  ...(['number of classes (nc)', student.nc === teacher.nc] as const),
  ...([`${student.nc}`, `${teacher.nc}`] as const),
];

const classOrder = (student: HeadSpec, teacher: HeadSpec): Field => [
  ...(['order of the classes', !reordered(student, teacher)] as const),
  ...([student.names.join(', '), teacher.names.join(', ')] as const),
];

/** Throws E_LOSS unless class indices mean the same to both: number and order of the classes. */
export const checkClasses = (student: HeadSpec, teacher: HeadSpec): void =>
  refuseDifferent(
    [classCount(student, teacher), classOrder(student, teacher)],
    "Use a student with the teacher's classes, or distil hints alone (distill.output.kind none).",
  );

/**
 * Throws E_LOSS unless the raw heads of student and teacher mean the same: classes, anchors per cell, strides, anchor
 * sizes (within 1/1000) and the order of the classes. The error names the first field that differs and both values.
 */
export const checkHeads = (student: HeadSpec, teacher: HeadSpec): void =>
  refuseDifferent(
    [
      classCount(student, teacher),
      ['anchors per cell (na)', student.na === teacher.na, `${student.na}`, `${teacher.na}`],
      [
        'strides',
        student.strides.join() === teacher.strides.join(),
        student.strides.join(', '),
        teacher.strides.join(', '),
      ],
      ['anchors', sameAnchors(student, teacher), shown(student.anchors), shown(teacher.anchors)],
      classOrder(student, teacher),
    ],
    "Use a student whose head is the teacher's, or distil hints alone (distill.output.kind none).",
  );

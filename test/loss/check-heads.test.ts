import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSoftshardError } from '../../src/errors.ts';
import { checkHeads } from '../../src/loss/check-heads.ts';
import type { HeadSpec } from '../../src/model/detector.ts';
import { headSpec } from './on-engine.ts';

const student = headSpec(3);

const fails = (teacher: HeadSpec, words: RegExp): void => {
  assert.throws(
    () => checkHeads(student, teacher),
    (error) => isSoftshardError(error, 'E_LOSS') && words.test(error.message),
  );
};

test('equal heads pass, whatever their names', () => {
  checkHeads(student, { ...student, names: ['a', 'b', 'c'] });
});

test('anchors may differ by the rounding of 16 bits only', () => {
  const scaled = (factor: number): HeadSpec => ({
    ...student,
    anchors: student.anchors.map((level) => level.map(([w, h]) => [w * factor, h])),
  });
  checkHeads(student, scaled(1.0004));
  fails(scaled(1.01), /anchors: .*/);
});

test('the first difference is named with both values', () => {
  fails({ ...headSpec(80), strides: [8, 16] }, /number of classes[^]*80 \(teacher\)[^]*3 \(student\)/);
  fails({ ...student, na: 2 }, /anchors per cell/);
  fails({ ...student, strides: [8, 16, 32, 64] }, /strides[^]*8, 16, 32, 64/);
  fails({ ...student, names: ['class 1', 'class 0', 'class 2'] }, /order of the classes/);
});

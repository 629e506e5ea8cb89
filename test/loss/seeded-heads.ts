/** The reference's seeded heads and what is known of the gradients that its losses have there. */
import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { referenceFloats, referenceJson } from '../reference.ts';
import { absoluteSum, gridHead, relativeError, torchData } from './on-engine.ts';

export const LEVELS = ['p3', 'p4', 'p5'] as const;

export const seededHeads = (who: 'student' | 'teacher'): tf.Tensor5D[] =>
  LEVELS.map((level) => {
    const { data, shape } = referenceFloats(`D_${who}_${level}.npy`);
    return gridHead(data, shape);
  });

interface GradientSums {
  readonly sum: number;
  readonly abs_sum: number;
  readonly l2: number;
  readonly absmax: number;
}

export interface SeededCase {
  readonly value: number;
  readonly grad: readonly [GradientSums, GradientSums, GradientSums];
  readonly items: readonly number[];
  readonly matches_per_layer: readonly number[];
}

/** A loss of the reference's table by name. */
export function seededCase(name: string): SeededCase {
  const found = (referenceJson('ref', 'D_distill.json') as Readonly<Record<string, SeededCase>>)[name];
  assert.ok(found, name);
  return found;
}

/** Asserts that gradients of the three heads have the reference's sums, within 1e-5. */
export function assertGradientSums(gradients: readonly tf.Tensor[], { grad }: SeededCase): void {
  grad.forEach((expected, level) => {
    const found = gradients[level]?.dataSync() ?? [];
    assert.ok(relativeError(absoluteSum(found), expected.abs_sum) < 1e-5, `level ${level}: sum`);
    const l2 = Math.sqrt(Array.from(found).reduce((sum, g) => sum + g * g, 0));
    assert.ok(relativeError(l2, expected.l2) < 1e-5, `level ${level}: norm`);
    const largest = Array.from(found).reduce((max, g) => Math.max(max, Math.abs(g)), 0);
    assert.ok(relativeError(largest, expected.absmax) < 1e-5, `level ${level}: largest`);
  });
}

/** Asserts that a gradient equals a reference file in every element. */
export function assertGradient(
  gradient: tf.Tensor | undefined,
  file: string,
  { relative, absolute }: { readonly relative: number; readonly absolute: number },
): void {
  assert.ok(gradient);
  const found = torchData(gradient);
  const { data } = referenceFloats(file);
  assert.equal(found.length, data.length);
  found.forEach((g, i) => {
    const expected = data[i] ?? NaN;
    const error = Math.abs(g - expected);
    assert.ok(error <= absolute + relative * Math.abs(expected), `${file} ${i}: ${g} ${expected}`);
  });
}

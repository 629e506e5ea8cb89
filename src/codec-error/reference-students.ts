/** Two students between whom a real one lies: one that knows nothing yet, one that is near its teacher. */
import type { FloatBlob } from '../cache/target.ts';
import { drawKey } from '../random/keyed.ts';
import { normal } from '../random/normal.ts';

/** Gives a view's student heads from its teacher's. */
export type ReferenceStudent = (teacher: readonly FloatBlob[]) => readonly FloatBlob[];

/**
 * The student that answers as its teacher does plus N(0, 1) on each logit. The noise is keyed by seed, level and place
 * and is the same for all views of one shape.
 */
export function noisyStudent(seed: number): ReferenceStudent {
  const fields = new Map<string, Float32Array>();
  const noiseOf = (level: number, size: number): Float32Array => {
    const name = `${level} ${size}`;
    const found = fields.get(name);
    if (found !== undefined) return found;
    const key = drawKey(seed, 'error-student', level);
    const field = Float32Array.from({ length: size }, (_, i) => normal(key, i));
    fields.set(name, field);
    return field;
  };
  return (teacher) =>
    teacher.map(({ shape, data }, level) => {
      const noise = noiseOf(level, data.length);
      return { shape, data: data.map((value, i) => value + (noise[i] ?? 0)) };
    });
}

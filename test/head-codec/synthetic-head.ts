/** Heads as a detector answers: mostly background, some objects that several rows around see. Keyed, no data. */
import { drawKey, unitUniform } from '../../src/random/keyed.ts';
import { normal } from '../../src/random/normal.ts';
import type { FloatBlob } from '../../src/cache/target.ts';

/** A head [ny, nx, na, 5 + nc] with `objects` objects. */
export function syntheticHead(
  [ny, nx, na, nc]: readonly [number, number, number, number],
  objects: number,
  seed = 0,
): FloatBlob {
  const no = nc + 5;
  const noise = drawKey(seed, 'test-noise');
  const place = drawKey(seed, 'test-place');
  const data = new Float32Array(ny * nx * na * no);
  const centres = Array.from({ length: objects }, (_, i) => ({
    y: unitUniform(place, 4 * i) * ny,
    x: unitUniform(place, 4 * i + 1) * nx,
    name: Math.floor(unitUniform(place, 4 * i + 2) * nc),
    strength: 2 + 2 * unitUniform(place, 4 * i + 3),
  }));
  for (let row = 0; row < ny * nx * na; row++) {
    const y = Math.floor(row / (nx * na)) + 0.5;
    const x = (Math.floor(row / na) % nx) + 0.5;
    const at = row * no;
    for (let c = 0; c < no; c++)
      data[at + c] = (c < 4 ? 0 : c === 4 ? -11 : -6) + 0.3 * normal(noise, at + c);
    for (const { y: cy, x: cx, name, strength } of centres) {
      const near = Math.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 4) * (1 - 0.1 * (row % na));
      data[at + 4] = (data[at + 4] ?? 0) + near * (9 + strength);
      if (nc > 0) data[at + 5 + name] = (data[at + 5 + name] ?? 0) + near * 6;
    }
  }
  return { shape: [ny, nx, na, no], data };
}

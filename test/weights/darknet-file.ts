/** Darknet weight files with values by a formula. */
import { buildGraph, type ModelGraph } from '../../src/model/graph.ts';
import { checkModelYaml, readModelYaml } from '../../src/model/model-yaml.ts';

/** The graph of YOLOv4-tiny for these classes. */
export const darknetGraph = (names: readonly string[], width = 1): ModelGraph => {
  const yaml = { ...readModelYaml('yolov4-tiny.yaml'), width_multiple: width };
  return buildGraph(checkModelYaml(yaml, 'yolov4-tiny'), { names });
};

/** Header (version 0.2.5) and values: a sine of the place in the file, scaled by what the value is. */
export function darknetBytes(graph: ModelGraph): Buffer {
  const norms = new Map(graph.foldable);
  const values: number[] = [];
  const wave = (size: number, scale: (s: number) => number): void => {
    for (let k = 0; k < size; k++) {
      const i = values.length;
      values.push(scale(Math.sin(0.37 * i + 0.001 * (i % 997))));
    }
  };
  for (const { name, role, shape } of graph.entries) {
    if (role !== 'weight') continue;
    const [outputs = 0, inputs = 0, kernel = 1] = shape;
    const isNormed = norms.has(name.slice(0, name.lastIndexOf('.')));
    wave(outputs, (s) => 0.1 * s);
    if (isNormed) {
      wave(outputs, (s) => 1 + 0.3 * s);
      wave(outputs, (s) => 0.02 * s);
      wave(outputs, (s) => 1e-3 * (1.2 + s));
    }
    const fan = inputs * kernel * kernel;
    wave(outputs * fan, (s) => (isNormed ? 0.05 * s * Math.sqrt(2 / fan) : 0.02 * s));
  }
  const header = Buffer.alloc(20);
  header.writeInt32LE(0, 0);
  header.writeInt32LE(2, 4);
  header.writeInt32LE(5, 8);
  header.writeBigUInt64LE(32_013_312n, 12);
  return Buffer.concat([header, Buffer.from(Float32Array.from(values).buffer)]);
}

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import type { StateDict, TensorData } from '../../src/model/tensor-data.ts';
import { bytesSource } from '../../src/weights/byte-source.ts';
import { readPt, readPtSource } from '../../src/weights/pt-reader.ts';
import { encodePt } from '../../src/weights/pt-writer.ts';
import { encodeSafetensors, parseSafetensors } from '../../src/weights/safetensors.ts';
import { teacherDigest } from '../../src/weights/teacher-digest.ts';
import { toFloat32 } from '../../src/weights/tensor-bytes.ts';
import { reference, skipWithoutReference } from '../reference.ts';

const half: TensorData = { dtype: 'float16', shape: [2], data: Uint16Array.of(0x3c00, 0xc000) };
const count: TensorData = { dtype: 'int64', shape: [], data: BigInt64Array.of(3n) };

describe('teacherDigest', () => {
  const state: StateDict = new Map([
    ['b', half],
    ['a', count],
  ]);
  const graph = { nc: 2, head: [[-1, 1, 'Conv', [8]]] };

  test('is sha256 over keys, shapes, float32 values and the canonical graph', () => {
    const bytes = Buffer.concat([
      Buffer.from('softshard-teacher 1\n["a",[]]\n'),
      Buffer.from(Float32Array.of(3).buffer),
      Buffer.from('["b",[2]]\n'),
      Buffer.from(Float32Array.of(1, -2).buffer),
      Buffer.from('{"head":[[-1,1,"Conv",[8]]],"nc":2}\n'),
    ]);
    assert.equal(teacherDigest(state, graph), createHash('sha256').update(bytes).digest('hex'));
  });

  test('does not depend on dtype, order of tensors or order of keys in the graph', () => {
    const other: StateDict = new Map([
      ['a', toFloat32(count)],
      ['b', toFloat32(half)],
    ]);
    assert.equal(teacherDigest(other, { head: graph.head, nc: 2 }), teacherDigest(state, graph));
  });

  test('depends on every key, shape, value and on the graph', () => {
    const variants: [StateDict, unknown][] = [
      [state, graph],
      [state, { ...graph, nc: 3 }],
      [new Map([['b', half]]), graph],
      [new Map([['c', half], ['a', count]]), graph], // prettier-ignore
      [new Map([['b', { ...half, shape: [2, 1] }], ['a', count]]), graph], // prettier-ignore
      [new Map([['b', { ...half, data: Uint16Array.of(0x3c00, 0xc001) }], ['a', count]]), graph], // prettier-ignore
    ];
    assert.equal(new Set(variants.map(([s, g]) => teacherDigest(s, g))).size, variants.length);
  });

  test('is the same through every format', { skip: skipWithoutReference }, async () => {
    const { state: original, yaml } = await readPt(reference('weights', 'yolov5n.pt'));
    const expected = teacherDigest(original, yaml);
    const pt = await readPtSource(bytesSource(Buffer.concat(encodePt(original)), 'out.pt'));
    assert.equal(teacherDigest(pt.state, yaml), expected);
    const single = new Map([...original].map(([key, tensor]) => [key, toFloat32(tensor)]));
    const tensors = await parseSafetensors(Buffer.concat(encodeSafetensors(single)));
    assert.equal(teacherDigest(tensors.state, yaml), expected);
  });
});

/** ONNX files are read and extended as protocol buffers, and what is none is told. */
import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { isSoftshardError } from '../../src/errors.ts';
import { classNamesIn } from '../../src/graph-teacher/class-names-in.ts';
import { openOnnxFile } from '../../src/graph-teacher/onnx-file.ts';
import { readOnnx } from '../../src/graph-teacher/onnx-model.ts';
import { withOutputs } from '../../src/graph-teacher/onnx-outputs.ts';
import { bytesField, numberField, wireFields, wireText } from '../../src/graph-teacher/protobuf.ts';
import { repositoryRoot } from '../reference.ts';

const file = await readFile(join(repositoryRoot, 'fixtures', 'onnx', 'tiny-fixed.onnx'));

/** A ValueInfoProto: element type (1 is float32, 10 is float16) and dimensions, 0 for a free one. */
const valueInfo = (name: string, type: number, dims: readonly number[]): Uint8Array[] => [
  bytesField(1, name),
  bytesField(2, [
    bytesField(1, [
      numberField(1, type),
      bytesField(
        2,
        dims.map((size) => bytesField(1, [size === 0 ? bytesField(2, 'n') : numberField(1, size)])),
      ),
    ]),
  ]),
];

/** A model with one node, and an input of this type. */
const model = (type: number, dims: readonly number[], ...more: Uint8Array[]): Uint8Array =>
  Buffer.concat([
    numberField(1, 8),
    bytesField(7, [
      bytesField(1, [bytesField(1, 'images'), bytesField(2, 'out'), bytesField(4, 'Sigmoid')]),
      bytesField(11, valueInfo('images', type, dims)),
      bytesField(12, valueInfo('out', type, dims)),
      ...more,
    ]),
  ]);

describe('protocol buffers', () => {
  test('numbers and text come back as they were written', () => {
    const fields = fc.array(
      fc.record({
        number: fc.integer({ min: 1, max: 536_870_911 }),
        content: fc.oneof(fc.maxSafeNat(), fc.string()),
      }),
    );
    fc.assert(
      fc.property(fields, (written) => {
        const bytes = Buffer.concat(
          written.map(({ number, content }) =>
            typeof content === 'number' ? numberField(number, content) : bytesField(number, content),
          ),
        );
        const read = [...wireFields(bytes, 'x')].map((field, i) => ({
          number: field.number,
          content: typeof written[i]?.content === 'number' ? field.value : wireText(field),
        }));
        assert.deepEqual(
          read,
          written.map(({ number, content }) => ({
            number,
            content: typeof content === 'number' ? content : Buffer.from(content).toString(),
          })),
        );
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  test('any bytes are read or refused by their code, and never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          readOnnx(bytes, 'x');
        } catch (error) {
          assert.ok(isSoftshardError(error, 'E_WEIGHTS_FORMAT'));
        }
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});

describe('ONNX files', () => {
  test('appended outputs and nodes join the graph, and every byte before them stays', () => {
    const before = readOnnx(file, 'x');
    const longer = withOutputs(file, before.outputs, [
      { tensor: '/model.6/m.0/Conv_output_0', output: 'softshard.0', axes: [0, 2, 3, 1] },
      { tensor: 'output0', output: 'output0' },
    ]);
    assert.ok(Buffer.from(longer).subarray(0, file.length).equals(file));
    const after = readOnnx(longer, 'x');
    assert.deepEqual(after.outputs, ['output0', 'softshard.0']);
    assert.deepEqual(after.nodes.at(-1), {
      op: 'Transpose',
      inputs: ['/model.6/m.0/Conv_output_0'],
      outputs: ['softshard.0'],
    });
    assert.deepEqual(after.inputs, [{ name: 'images', dims: [1, 3, 64, 64], isFloat32: true }]);
  });

  test('what no teacher can be is refused by name', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'softshard-onnx-'));
    const path = join(folder, 'x.onnx');
    const external = bytesField(5, [bytesField(8, 'w'), numberField(14, 1)]);
    try {
      for (const [bytes, text] of [
        [file.subarray(0, 20_000), 'truncated'],
        [Buffer.from('<html>not found</html>'), 'truncated'],
        [new Uint8Array(), 'no ONNX graph'],
        [model(10, [1, 3, 64, 64]), 'of another type [1, 3, 64, 64]'],
        [model(1, [1, 64, 64, 3]), 'images float32 [1, 64, 64, 3]'],
        [model(1, [0, 3, 32, 64]), 'images float32 [?, 3, 32, 64]'],
        [model(1, [1, 3, 64, 64], external), 'external data'],
      ] as const) {
        await writeFile(path, bytes);
        await assert.rejects(
          openOnnxFile(path, 1),
          (error) => isSoftshardError(error, 'E_WEIGHTS_FORMAT') && error.message.includes(text),
          text,
        );
      }
      await assert.rejects(openOnnxFile(join(folder, 'none.onnx'), 1), (error) =>
        isSoftshardError(error, 'E_FILE'),
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('class names as Python prints a dictionary', () => {
    assert.deepEqual(classNamesIn(`{0: 'person', 1: "rider's bike", 2: 'it\\'s'}`), [
      'person',
      "rider's bike",
      "it's",
    ]);
    assert.equal(classNamesIn("{1: 'a'}"), undefined);
    assert.equal(classNamesIn('none'), undefined);
  });
});

/**
 * An ONNX file with further outputs, so that a runtime hands out intermediate tensors. Parsers of protocol buffers merge
 * an embedded message that comes twice: what is appended to the file joins its graph, and no byte of it is rewritten.
 */
import { GRAPH, MODEL, NODE } from './onnx-model.ts';
import { bytesField, numberField } from './protobuf.ts';

/** An intermediate tensor that is wanted. */
export interface WantedTensor {
  /** Its name in the graph. */
  readonly tensor: string;
  /** Name under which the runtime gives it; another than `tensor` where it is transposed. */
  readonly output: string;
  /** Order of its axes in the output; as it is by default. */
  readonly axes?: readonly number[] | undefined;
}

/** AttributeProto: name = 1, ints = 8, type = 20. */
const permutation = (axes: readonly number[]): Uint8Array =>
  bytesField(NODE.attribute, [
    bytesField(1, 'perm'),
    ...axes.map((axis) => numberField(8, axis)),
    numberField(20, 7),
  ]);

/** The file with outputs appended; `declared` are those that it has. */
export function withOutputs(
  file: Uint8Array,
  declared: readonly string[],
  wanted: readonly WantedTensor[],
): Uint8Array {
  const nodes = wanted.flatMap(({ tensor, output, axes }) =>
    axes === undefined
      ? []
      : [
          bytesField(GRAPH.node, [
            bytesField(NODE.input, tensor),
            bytesField(NODE.output, output),
            bytesField(NODE.op, 'Transpose'),
            permutation(axes),
          ]),
        ],
  );
  const outputs = [...new Set(wanted.map(({ output }) => output))]
    .filter((output) => !declared.includes(output))
    .map((output) => bytesField(GRAPH.output, [bytesField(1, output)]));
  return Buffer.concat([file, bytesField(MODEL.graph, [...nodes, ...outputs])]);
}

/** Reads the graph of an ONNX file (onnx.proto3): names and shapes, not the values. */
import { SoftshardError } from '../errors.ts';
import type { GraphDescription, GraphNode } from './graph-description.ts';
import { wireFields, wireText, type WireField } from './protobuf.ts';

/** Field numbers of onnx.proto3. */
export const MODEL = { graph: 7, metadata: 14 } as const;
export const GRAPH = { node: 1, initializer: 5, input: 11, output: 12 } as const;
export const NODE = { input: 1, output: 2, op: 4, attribute: 5 } as const;
const TENSOR = { name: 8, location: 14 } as const;
const EXTERNAL = 1;

/** Number of float32 among the element types of ONNX. */
const FLOAT32 = 1;

export interface OnnxInput {
  readonly name: string;
  /** undefined where a dimension is free. */
  readonly dims: readonly (number | undefined)[];
  readonly isFloat32: boolean;
}

export interface OnnxModel extends GraphDescription {
  /** Inputs that the file does not hold itself. */
  readonly inputs: readonly OnnxInput[];
  /** What the exporter wrote beside the graph. */
  readonly metadata: ReadonlyMap<string, string>;
}

const first = (message: Uint8Array, number: number, where: string): WireField | undefined => {
  for (const field of wireFields(message, where)) if (field.number === number) return field;
  return undefined;
};

function readNode(message: Uint8Array, where: string): GraphNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  let op = '';
  for (const field of wireFields(message, where)) {
    if (field.number === NODE.input) inputs.push(wireText(field));
    else if (field.number === NODE.output) outputs.push(wireText(field));
    else if (field.number === NODE.op) op = wireText(field);
  }
  return { op, inputs, outputs };
}

/** A ValueInfoProto: name = 1, type = 2; a tensor's type is {elem_type = 1, shape = 2}, a shape a list of {value = 1}. */
function readInput(message: Uint8Array, where: string): OnnxInput {
  const name = first(message, 1, where);
  const type = first(message, 2, where)?.bytes ?? new Uint8Array();
  const tensor = first(type, 1, where)?.bytes ?? new Uint8Array();
  const shape = first(tensor, 2, where)?.bytes ?? new Uint8Array();
  return {
    name: name === undefined ? '' : wireText(name),
    isFloat32: first(tensor, 1, where)?.value === FLOAT32,
    dims: [...wireFields(shape, where)].map(({ bytes }) => {
      const size = first(bytes, 1, where)?.value ?? 0;
      return size > 0 ? size : undefined;
    }),
  };
}

function initializerName(message: Uint8Array, where: string): string {
  let name = '';
  for (const field of wireFields(message, where)) {
    if (field.number === TENSOR.name) name = wireText(field);
    if (field.number === TENSOR.location && field.value === EXTERNAL) {
      throw new SoftshardError('E_WEIGHTS_FORMAT', {
        message: 'The ONNX file keeps its values in other files.',
        where,
        expected: 'one file with everything in it',
        remedy: 'Save it again without external data: onnx.save(onnx.load(FILE), OTHER).',
      });
    }
  }
  return name;
}

/** Throws E_WEIGHTS_FORMAT when the bytes are no ONNX model, or keep their values elsewhere. */
export function readOnnx(file: Uint8Array, where: string): OnnxModel {
  const metadata = new Map<string, string>();
  const nodes: GraphNode[] = [];
  const inputs: OnnxInput[] = [];
  const outputs: string[] = [];
  const constants = new Set<string>();
  for (const { number, bytes } of wireFields(file, where)) {
    if (number === MODEL.metadata) {
      const [key, value] = [first(bytes, 1, where), first(bytes, 2, where)];
      if (key !== undefined && value !== undefined) metadata.set(wireText(key), wireText(value));
    }
    if (number !== MODEL.graph) continue;
    for (const field of wireFields(bytes, where)) {
      if (field.number === GRAPH.node) nodes.push(readNode(field.bytes, where));
      else if (field.number === GRAPH.initializer) constants.add(initializerName(field.bytes, where));
      else if (field.number === GRAPH.input) inputs.push(readInput(field.bytes, where));
      else if (field.number === GRAPH.output) outputs.push(readInput(field.bytes, where).name);
    }
  }
  if (nodes.length === 0 || outputs.length === 0) {
    throw new SoftshardError('E_WEIGHTS_FORMAT', {
      message: 'The file holds no ONNX graph.',
      where,
      found: `${nodes.length} nodes, ${outputs.length} outputs`,
    });
  }
  return {
    ...{ nodes, outputs, constants, metadata },
    inputs: inputs.filter(({ name }) => !constants.has(name)),
  };
}

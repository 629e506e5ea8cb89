/** TensorFlow's GraphDef in the JSON form that TF.js graph models hold: nodes, attributes, constants. */

/** Element types of the graphs written here. */
export type GraphDType = 'float32' | 'int32';

/** One attribute in protobuf's JSON mapping: 64-bit integers as text, byte strings in base64. */
export type AttrValue =
  | { readonly type: string }
  | { readonly s: string }
  | { readonly i: string }
  | { readonly f: number }
  | { readonly b: boolean }
  | { readonly list: { readonly i: readonly string[] } }
  | { readonly shape: ShapeProto }
  | { readonly tensor: { readonly dtype: string; readonly tensorShape: ShapeProto } };

export interface ShapeProto {
  readonly dim: readonly { readonly size: string }[];
}

export interface NodeDef {
  readonly name: string;
  readonly op: string;
  /** `NAME`, or `NAME:1` for an output after the first. */
  readonly input: readonly string[];
  readonly attr: Readonly<Record<string, AttrValue>>;
}

/** A constant with its values; they are stored beside the graph. */
export interface GraphConstant {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: GraphDType;
  readonly data: Float32Array | Int32Array;
}

/** A graph that is complete: what a model file is made from. */
export interface GraphDef {
  readonly nodes: readonly NodeDef[];
  readonly constants: readonly GraphConstant[];
}

const DATA_TYPES: Readonly<Record<GraphDType, string>> = { float32: 'DT_FLOAT', int32: 'DT_INT32' };

/** The protobuf name of an element type. */
export const dataType = (dtype: GraphDType): string => DATA_TYPES[dtype];

/** A shape; -1 where a length is open. */
export const shapeProto = (shape: readonly number[]): ShapeProto => ({
  dim: shape.map((size) => ({ size: String(size) })),
});

/** Attributes from plain values. */
export const attr = {
  type: (dtype: GraphDType): AttrValue => ({ type: dataType(dtype) }),
  text: (value: string): AttrValue => ({ s: Buffer.from(value).toString('base64') }),
  integer: (value: number): AttrValue => ({ i: String(value) }),
  integers: (values: readonly number[]): AttrValue => ({ list: { i: values.map(String) } }),
  float: (value: number): AttrValue => ({ f: value }),
  flag: (value: boolean): AttrValue => ({ b: value }),
  shape: (shape: readonly number[]): AttrValue => ({ shape: shapeProto(shape) }),
} as const;

/** Collects nodes in the order in which they can run. */
export class GraphDefBuilder {
  readonly #nodes: NodeDef[] = [];
  readonly #constants: GraphConstant[] = [];
  readonly #counts = new Map<string, number>();

  #fresh(stem: string): string {
    const count = this.#counts.get(stem) ?? 0;
    this.#counts.set(stem, count + 1);
    return count === 0 ? stem : `${stem}_${count}`;
  }

  /** Adds a node and returns its name: `name`, or that with a number where it is taken. */
  node(op: string, inputs: readonly string[], attrs: NodeDef['attr'], name = op): string {
    const unique = this.#fresh(name);
    this.#nodes.push({ name: unique, op, input: [...inputs], attr: attrs });
    return unique;
  }

  /** Adds a constant and returns its name. */
  constant(
    data: Float32Array | Int32Array,
    shape: readonly number[],
    dtype: GraphDType,
    name = 'Const',
  ): string {
    const tensor = { dtype: dataType(dtype), tensorShape: shapeProto(shape) };
    const unique = this.node('Const', [], { dtype: attr.type(dtype), value: { tensor } }, name);
    this.#constants.push({ name: unique, shape: [...shape], dtype, data });
    return unique;
  }

  /** The graph so far. */
  build(): GraphDef {
    return { nodes: [...this.#nodes], constants: [...this.#constants] };
  }
}

/**
 * A tfjs backend that computes nothing: it writes down which kernels a function calls, as a graph.
 *
 * The function runs once, as on any backend, with tensors that have shapes and no values. What is exported is
 * therefore what the model computes, whatever modules it is made of.
 */
import * as tf from '@tensorflow/tfjs-core';
import { SoftshardError } from '../errors.ts';
import { GraphDefBuilder, attr, type GraphDef } from './graph-def.ts';
import { TRACE_KERNELS } from './trace-kernels.ts';
import { openShape, type TracedNode } from './traced-node.ts';

const NAME = 'softshard-trace';

/** Where a tensor's value comes from: a node's output, or values that become a constant when a node reads them. */
type Origin =
  | { readonly node: string }
  | {
      readonly values: Float32Array | Int32Array;
      readonly shape: readonly number[];
      readonly dtype: 'float32' | 'int32';
    };

class TraceBackend extends tf.KernelBackend {
  readonly builder = new GraphDefBuilder();
  readonly #origins = new Map<object, Origin>();

  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): object {
    const data = values as Float32Array | Int32Array | number[];
    const dataId = {};
    const isInteger = dtype === 'int32' || dtype === 'bool';
    this.#origins.set(dataId, {
      values: isInteger
        ? Int32Array.from(data)
        : data instanceof Float32Array
          ? data
          : Float32Array.from(data),
      shape,
      dtype: isInteger ? 'int32' : 'float32',
    });
    return dataId;
  }

  /** A tensor that stands for output `node`. */
  output(node: string, shape: readonly number[]): tf.TensorInfo {
    const dataId = {};
    this.#origins.set(dataId, { node });
    return { dataId, shape: [...shape], dtype: 'float32' };
  }

  /** The name by which a node reads a tensor. */
  nameOf({ dataId }: tf.TensorInfo): string {
    const origin = this.#origins.get(dataId);
    if (origin === undefined) throw new Error('a tensor comes from outside the trace');
    if ('node' in origin) return origin.node;
    const node = this.builder.constant(origin.values, origin.shape, origin.dtype, 'values');
    this.#origins.set(dataId, { node });
    return node;
  }

  /** Writes a node down. */
  add(traced: TracedNode): tf.TensorInfo[] {
    const inputs = [
      ...traced.inputs.map((input) => this.nameOf(input)),
      ...(traced.integers ?? []).map(({ values, shape }) =>
        this.builder.constant(Int32Array.from(values), shape, 'int32', `${traced.op}_arguments`),
      ),
      ...(traced.scalar === undefined
        ? []
        : [this.builder.constant(Float32Array.of(traced.scalar), [], 'float32', `${traced.op}_value`)]),
    ];
    const name = this.builder.node(traced.op, inputs, traced.attrs);
    return traced.outputs.map((shape, i) => this.output(i === 0 ? name : `${name}:${i}`, shape));
  }

  override readSync(): never {
    throw new SoftshardError('E_EXPORT', {
      message: 'The model reads a value while it runs, which a graph cannot do.',
    });
  }
  override read(): never {
    return this.readSync();
  }
  override disposeData(dataId: object): boolean {
    this.#origins.delete(dataId);
    return true;
  }
  override numDataIds(): number {
    return this.#origins.size;
  }
  override refCount(): number {
    return 1;
  }
  override incRef(): void {
    // Values are not shared: a reshape is a node of its own.
  }
  override memory(): { unreliable: boolean } {
    return { unreliable: true };
  }
  override floatPrecision(): 32 {
    return 32;
  }
  override epsilon(): number {
    return 1e-7;
  }
  override timerAvailable(): boolean {
    return false;
  }
  override dispose(): void {
    this.#origins.clear();
  }
}

const listed = (kernelName: string): boolean =>
  tf.getKernelsForBackend(NAME).some((kernel) => kernel.kernelName === kernelName);

function registerKernels(): void {
  for (const [kernelName, { inputs: names, translate }] of Object.entries(TRACE_KERNELS)) {
    if (listed(kernelName)) continue;
    tf.registerKernel({
      kernelName,
      backendName: NAME,
      kernelFunc: ({ inputs, attrs, backend }) => {
        if (!(backend instanceof TraceBackend)) throw new Error('a kernel of the trace ran elsewhere');
        const given = inputs as Readonly<Record<string, tf.TensorInfo | undefined>>;
        const ordered = (names ?? Object.keys(given)).flatMap((name) => given[name] ?? []);
        const outputs = backend.add(translate(ordered, attrs ?? {}));
        const [only, ...more] = outputs;
        return only !== undefined && more.length === 0 ? only : outputs;
      },
    });
  }
}

export interface TraceInput {
  readonly name: string;
  /** With `BATCH` where the batch is. */
  readonly shape: readonly [number, number, number, number];
}

/**
 * The graph of `body`, which gets a placeholder and returns one tensor. The node `outputName` gives the result.
 * `body` must make all its tensors itself. Another backend is current meanwhile; the one before comes back.
 *
 * Throws E_EXPORT when `body` uses a kernel that has no translation.
 */
export async function traceGraph(
  input: TraceInput,
  outputName: string,
  body: (x: tf.Tensor4D) => tf.Tensor,
): Promise<GraphDef> {
  const previous = tf.getBackend();
  const backend = new TraceBackend();
  registerKernels();
  tf.registerBackend(NAME, () => backend);
  try {
    await tf.setBackend(NAME);
    tf.tidy(() => {
      const attrs = { dtype: attr.type('float32'), shape: attr.shape(openShape(input.shape)) };
      const placeholder = backend.builder.node('Placeholder', [], attrs, input.name);
      const info = backend.output(placeholder, input.shape);
      const y = body(tf.engine().makeTensorFromTensorInfo(info) as tf.Tensor4D);
      backend.builder.node('Identity', [backend.nameOf(y)], { T: attr.type('float32') }, outputName);
    });
    return backend.builder.build();
  } catch (cause) {
    const missing = /Kernel '(\w+)' not registered/.exec(cause instanceof Error ? cause.message : '');
    if (missing === null) throw cause;
    throw new SoftshardError('E_EXPORT', {
      message: 'The model uses an operation that cannot be exported.',
      expected: Object.keys(TRACE_KERNELS).join(', '),
      found: missing[1] ?? '',
      cause,
    });
  } finally {
    await tf.setBackend(previous);
    tf.removeBackend(NAME);
  }
}

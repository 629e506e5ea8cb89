/** What the kernel backend of tfjs-node offers beyond tfjs-core. */
import type { Tensor, TensorInfo } from '@tensorflow/tfjs-core';

export interface NativeBinding {
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_FLOAT: number;
  readonly TF_Version: string;
}

export interface NativeAttribute {
  readonly name: string;
  /** One of the binding's TF_ATTR_*. */
  readonly type: number;
  readonly value: number | boolean | readonly number[];
}

export interface NativeBackend {
  readonly isUsingGpuDevice: boolean;
  readonly binding: NativeBinding;
  /** Runs a TensorFlow op by name. Inputs go by position; every attribute without a default must be given. */
  executeSingleOutput(name: string, attributes: NativeAttribute[], inputs: TensorInfo[]): Tensor;
  executeMultipleOutputs(
    name: string,
    attributes: NativeAttribute[],
    inputs: TensorInfo[],
    outputs: number,
  ): Tensor[];
}

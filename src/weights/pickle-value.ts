/** What a pickle may hold once it is read: data only. Lists are arrays, dictionaries and sets are Map and Set. */
import type { DType } from '../model/tensor-data.ts';

export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | Set<PickleValue>
  | PickleTuple
  | PickleRecord
  | PickleGlobal
  | StorageRef
  | TensorRef
  | NumpyDType
  | NumpyArray;

export class PickleTuple {
  readonly items: readonly PickleValue[];

  constructor(items: readonly PickleValue[]) {
    this.items = items;
  }
}

/** An instance of a class that is only recorded: its arguments and fields, without behaviour. */
export class PickleRecord {
  readonly className: string;
  readonly args: PickleTuple;
  fields: ReadonlyMap<PickleValue, PickleValue> = new Map();

  constructor(className: string, args: PickleTuple) {
    this.className = className;
    this.args = args;
  }

  /** A field by name; undefined when the record has none. */
  field(name: string): PickleValue | undefined {
    return this.fields.get(name);
  }
}

/**
 * What a global of the allow-list stands for: a class that becomes a record (`called` says whether REDUCE may
 * make one), a constructor of data that Softshard implements, a storage class, or a dtype.
 */
export type GlobalRole =
  | { readonly kind: 'record'; readonly called: boolean }
  | {
      readonly kind: 'constructor';
      /** Builds data from arguments; undefined when these do not fit. `charge` counts what is copied. */
      readonly construct: (
        args: readonly PickleValue[],
        charge: (elements: number) => void,
      ) => PickleValue | undefined;
    }
  | { readonly kind: 'storage'; readonly dtype: DType | 'untyped' }
  | { readonly kind: 'dtype'; readonly dtype: DType };

export class PickleGlobal {
  /** Module and name, joined by a dot. */
  readonly name: string;
  readonly role: GlobalRole;

  constructor(name: string, role: GlobalRole) {
    this.name = name;
    this.role = role;
  }
}

/** The bytes of a tensor, still in the container. `count` is in elements (bytes when untyped). */
export class StorageRef {
  readonly key: string;
  readonly dtype: DType | 'untyped';
  readonly count: number;
  /** A window of the storage, in elements (legacy containers only). */
  readonly view: { readonly offset: number; readonly count: number } | undefined;

  constructor(
    key: string,
    dtype: DType | 'untyped',
    count: number,
    view?: { offset: number; count: number },
  ) {
    this.key = key;
    this.dtype = dtype;
    this.count = count;
    this.view = view;
  }
}

/** A strided window of a storage; offset and strides in elements of `dtype`. */
export class TensorRef {
  readonly storage: StorageRef;
  readonly dtype: DType;
  readonly offset: number;
  readonly size: readonly number[];
  readonly stride: readonly number[];

  constructor(
    storage: StorageRef,
    dtype: DType,
    offset: number,
    size: readonly number[],
    stride: readonly number[],
  ) {
    this.storage = storage;
    this.dtype = dtype;
    this.offset = offset;
    this.size = size;
    this.stride = stride;
  }
}

/** A NumPy dtype such as `f8`; BUILD sets its byte order. */
export class NumpyDType {
  readonly code: string;
  littleEndian = true;

  constructor(code: string) {
    this.code = code;
  }
}

/** A NumPy array, recorded but not decoded: nothing that Softshard reads is one. */
export class NumpyArray {
  state: PickleTuple | undefined;
}

/** The kind of a value, for error messages. */
export function kindOf(value: PickleValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'None';
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Map) return 'a dict';
  if (value instanceof Set) return 'a set';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof PickleTuple) return 'a tuple';
  if (value instanceof PickleRecord) return `an instance of ${value.className}`;
  if (value instanceof PickleGlobal) return `the global ${value.name}`;
  if (value instanceof StorageRef) return 'a storage';
  if (value instanceof TensorRef) return 'a tensor';
  if (value instanceof NumpyDType || value instanceof NumpyArray) return 'a NumPy value';
  return `a ${typeof value}`;
}

/** The state dict of a pickled module, in PyTorch's order: parameters, buffers, then children, recursively. */
import { SoftshardError } from '../errors.ts';
import { PickleRecord, TensorRef, kindOf, type PickleValue } from './pickle-value.ts';

const MAX_DEPTH = 64;
const MAX_MODULES = 100_000;

/** Entries of a dict field by text key; empty when the module has no such field. */
function entries(module: PickleRecord, field: string, where: string): [string, PickleValue][] {
  const value = module.field(field);
  if (value === undefined || value === null) return [];
  if (!(value instanceof Map)) {
    throw new SoftshardError('E_WEIGHTS_FORMAT', {
      message: `A module's ${field} is no dictionary.`,
      where: `${where}, ${module.className}`,
      found: kindOf(value),
    });
  }
  return [...value].flatMap(([key, part]) => (typeof key === 'string' ? [[key, part]] : []));
}

/**
 * Collects the tensors that `state_dict()` would list, by the same keys and in the same order. Buffers that are
 * not persistent are left out. Throws E_WEIGHTS_FORMAT when the modules are not shaped like modules.
 */
export function moduleState(root: PickleRecord, where: string): Map<string, TensorRef> {
  const state = new Map<string, TensorRef>();
  let left = MAX_MODULES;
  const add = (key: string, value: PickleValue): void => {
    if (value === null) return; // a convolution without bias
    if (!(value instanceof TensorRef)) {
      throw new SoftshardError('E_WEIGHTS_FORMAT', {
        message: 'A parameter or buffer is no tensor.',
        where: `${where}, ${key}`,
        found: kindOf(value),
      });
    }
    state.set(key, value);
  };
  const visit = (module: PickleRecord, prefix: string, depth: number): void => {
    if (depth > MAX_DEPTH || left-- <= 0) {
      throw new SoftshardError('E_WEIGHTS_FORMAT', {
        message: 'The modules of a checkpoint nest too deeply, or are too many.',
        where,
      });
    }
    for (const [name, value] of entries(module, '_parameters', where)) add(prefix + name, value);
    const hidden = module.field('_non_persistent_buffers_set');
    for (const [name, value] of entries(module, '_buffers', where)) {
      if (!(hidden instanceof Set && hidden.has(name))) add(prefix + name, value);
    }
    for (const [name, child] of entries(module, '_modules', where)) {
      if (child instanceof PickleRecord) visit(child, `${prefix}${name}.`, depth + 1);
    }
  };
  visit(root, '', 0);
  return state;
}

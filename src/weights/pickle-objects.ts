/** What GLOBAL, REDUCE, NEWOBJ and BUILD do instead of importing and calling. */
import { allowedGlobal } from './pickle-globals.ts';
import type { PickleMachine } from './pickle-machine.ts';
import {
  NumpyArray,
  NumpyDType,
  PickleGlobal,
  PickleRecord,
  PickleTuple,
  TensorRef,
  kindOf,
  type PickleValue,
} from './pickle-value.ts';

/** Looks a global up in the allow-list. Throws E_WEIGHTS_UNSAFE, naming it, when it is not there. */
export function findGlobal(machine: PickleMachine, module: PickleValue, name: PickleValue): PickleGlobal {
  if (typeof module !== 'string' || typeof name !== 'string') {
    throw machine.failure('A pickle names a global by what is no text.');
  }
  const found = allowedGlobal(module, name);
  if (found !== undefined) return found;
  throw machine.failure(
    'A pickle names a global that is not on the allow-list. Nothing was executed.',
    `${module.slice(0, 200)}.${name.slice(0, 200)}`,
    'E_WEIGHTS_UNSAFE',
  );
}

/** REDUCE: applies an allow-listed constructor to a tuple. */
export function callGlobal(machine: PickleMachine): void {
  const args = machine.popTuple();
  const callee = machine.pop();
  if (!(callee instanceof PickleGlobal)) {
    throw machine.failure(
      'A pickle calls a value. Nothing was executed.',
      kindOf(callee),
      'E_WEIGHTS_UNSAFE',
    );
  }
  const { role } = callee;
  if (role.kind === 'record' && role.called) {
    machine.push(new PickleRecord(callee.name, args));
    return;
  }
  if (role.kind !== 'constructor') {
    throw machine.failure(
      'A pickle calls a class that is only recorded. Nothing was executed.',
      callee.name,
      'E_WEIGHTS_UNSAFE',
    );
  }
  const value = role.construct(args.items, (elements) => machine.charge(elements));
  if (value === undefined) {
    throw machine.failure('A pickle builds a value from arguments that do not fit.', callee.name);
  }
  machine.push(value);
}

/** NEWOBJ: a record of a module class. */
export function newObject(machine: PickleMachine, args: PickleTuple): void {
  const callee = machine.pop();
  if (!(callee instanceof PickleGlobal) || callee.role.kind !== 'record') {
    throw machine.failure(
      'A pickle makes an instance of what is no recorded class. Nothing was executed.',
      callee instanceof PickleGlobal ? callee.name : kindOf(callee),
      'E_WEIGHTS_UNSAFE',
    );
  }
  machine.push(new PickleRecord(callee.name, args));
}

/** BUILD: attaches a state to the value below it. */
export function buildState(machine: PickleMachine): void {
  const state = machine.pop();
  const target = machine.top();
  if (target instanceof PickleRecord) {
    // A pair is (dict, slots): what is recorded has no slots of interest.
    const fields = state instanceof PickleTuple && state.items.length === 2 ? state.items[0] : state;
    if (fields instanceof Map) target.fields = fields;
    else if (fields !== null) throw machine.failure('A pickle gives an object a bad state.', kindOf(state));
    return;
  }
  if (target instanceof NumpyDType) {
    if (state instanceof PickleTuple) target.littleEndian = state.items[1] !== '>';
    return;
  }
  if (target instanceof NumpyArray) {
    if (state instanceof PickleTuple) target.state = state;
    return;
  }
  // A state dict carries `_metadata`, a tensor may carry attributes: neither matters here.
  if (target instanceof Map || target instanceof TensorRef) return;
  throw machine.failure('A pickle gives a state to what has none.', kindOf(target));
}

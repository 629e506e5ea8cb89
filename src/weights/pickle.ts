/** Reads pickles as data: no import, no call, every quantity bounded. */
import { OPCODES } from './pickle-opcodes.ts';
import { PICKLE_LIMITS, PickleMachine, type PickleLimits } from './pickle-machine.ts';
import type { PickleValue } from './pickle-value.ts';

const STOP = '.'.charCodeAt(0);

export interface UnpickleOptions {
  /** File and entry, for errors. */
  readonly where: string;
  /** Offset of the pickle in the bytes, 0 by default. */
  readonly start?: number;
  /** Turns a persistent id into a value; without it a persistent id is an error. */
  readonly persistentLoad?: (id: PickleValue, machine: PickleMachine) => PickleValue;
  readonly limits?: PickleLimits;
}

export interface Unpickled {
  readonly value: PickleValue;
  /** Offset just after the STOP opcode. */
  readonly end: number;
}

/**
 * Reads one pickle of protocol 0 to 4. Throws E_WEIGHTS_UNSAFE, with the global's name and the byte offset, when
 * it names or calls anything outside the allow-list, and E_WEIGHTS_FORMAT when it is malformed, truncated or
 * beyond the limits.
 */
export function unpickle(bytes: Uint8Array, options: UnpickleOptions): Unpickled {
  const refusePersistent = (_: PickleValue, m: PickleMachine): never => {
    throw m.failure('A pickle refers to data outside itself, and there is none.');
  };
  const { where, start = 0, persistentLoad = refusePersistent, limits = PICKLE_LIMITS } = options;
  const machine = new PickleMachine(bytes, start, where, persistentLoad, limits);
  for (;;) {
    machine.opcodeAt = machine.at;
    machine.charge(1);
    const code = machine.u8();
    if (code === STOP) return { value: machine.pop(), end: machine.at };
    const opcode = OPCODES.get(code);
    if (opcode === undefined) {
      throw machine.failure(
        'A pickle uses an opcode that weight files do not need.',
        `0x${code.toString(16).padStart(2, '0')}`,
      );
    }
    opcode(machine);
  }
}

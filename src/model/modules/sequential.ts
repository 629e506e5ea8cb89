import { nested, type Module } from '../module.ts';

/** Modules one after another, named by position. */
export function sequential(modules: readonly Module[]): Module {
  const last = modules.at(-1);
  if (last === undefined) throw new Error('a sequence needs at least one module');
  return {
    outChannels: last.outChannels,
    reduction: modules.reduce((product, module) => product * module.reduction, 1),
    ...nested(Object.fromEntries(modules.map((module, i) => [String(i), module]))),
    forward: (inputs, scope) => {
      const [first, ...rest] = modules;
      if (first === undefined) throw new Error('a sequence needs at least one module');
      return rest.reduce(
        (x, module, i) => module.forward([x], scope.child(String(i + 1))),
        first.forward(inputs, scope.child('0')),
      );
    },
  };
}

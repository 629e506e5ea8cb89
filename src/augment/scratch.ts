/** Buffers that grow once and are used again: one set for each thread that applies views. */

export interface Scratch {
  /** The first `bytes` bytes of the buffer of that name, grown when too small; contents undefined. */
  bytes(name: 'canvas' | 'loaded' | 'fitted' | 'second', bytes: number): Uint8Array;
}

/** Makes an empty set. Whatever it hands out stays valid until the same name is asked for again. */
export function createScratch(): Scratch {
  const buffers = new Map<string, Uint8Array>();
  return {
    bytes(name, bytes) {
      const held = buffers.get(name);
      if (held !== undefined && held.length >= bytes) return held.subarray(0, bytes);
      const grown = new Uint8Array(bytes);
      buffers.set(name, grown);
      return grown;
    },
  };
}

/**
 * The inner loops over pixels in WebAssembly with SIMD, built from `kernels/pixels.ts` (`npm run kernels`). They give the
 * bytes of the plain loops, which serve pictures that are too large for the module's memory. One instance a thread.
 */
import { readFileSync } from 'node:fs';

/** What is needed of the global of that name, which the library of types keeps with the browser's. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

/** Functions of the module, as `kernels/pixels.ts` documents them; pointers are bytes in its memory. */
export interface PixelKernels {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly resizeRow: (source: number, offsets: number, weights: number, count: number, row: number) => void;
  readonly joinRows: (u: number, l: number, b0: number, b1: number, values: number, out: number) => void;
  readonly affineRow: (...pointers: number[]) => void;
  readonly sampleRow: (...pointers: number[]) => void;
  readonly gainPixels: (pixels: number, count: number) => void;
}

/** Where the module's tables stand (`kernels/pixels.ts`), and where memory is free behind them. */
export const TABLES = {
  hsvSaturation: 1024,
  hsvHue: 2048,
  gains: 3072,
  weights: 4096,
  sectors: 4608,
  sectorOf: 4864,
  units: 5120,
  shades: 8192,
} as const;
const FREE = TABLES.shades + 180 * 256 * 16;

/** Most bytes of a call's pictures and rows: what is larger goes through the plain loops. */
export const MOST_KERNEL_BYTES = 64 * 2 ** 20;

const PAGE = 65536;
/** Loads and stores of whole vectors may pass the end of what they belong to by as much. */
const SLACK = 16;

let opened: PixelKernels | undefined;

function open(): PixelKernels {
  const bytes = readFileSync(new URL('./pixels.wasm', import.meta.url));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const kernels = exports as PixelKernels;
  const weights = new Int16Array(kernels.memory.buffer, TABLES.weights, 32 * 8);
  for (let f = 0; f < 32; f++) weights.set([32 - f, f, 32 - f, f, 32 - f, f], 8 * f);
  return kernels;
}

/** The module of this thread. */
export const pixelKernels = (): PixelKernels => (opened ??= open());

/**
 * Where pieces of these sizes (bytes) lie in the module's memory until the next call, each at a multiple of 16 with room
 * behind it, and the memory; undefined where they are too large together.
 */
export function kernelMemory(
  sizes: readonly number[],
): { readonly at: readonly number[]; readonly buffer: ArrayBuffer } | undefined {
  let end = FREE;
  const at = sizes.map((size) => {
    const start = end;
    end = Math.ceil((end + size + SLACK) / 16) * 16;
    return start;
  });
  if (end - FREE > MOST_KERNEL_BYTES) return undefined;
  const { memory } = pixelKernels();
  const missing = end - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
  return { at, buffer: memory.buffer };
}

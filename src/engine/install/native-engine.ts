/** An installed native engine: its folder's layout, its name, and how it is found. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { findBindingSource, type BindingSource } from './binding-source.ts';
import { enginesFolder, softshardHome } from './home.ts';
import { nativeOpsSource } from './native-ops-source.ts';
import { findGpu, hasGpu, type GpuDevice } from './gpu-device.ts';
import { wheelFor, type EngineDevice, type Wheel } from './wheels.ts';

/** Node-API version that the binding is compiled for. */
export const NAPI_VERSION = 8;

/** The record `engine.json` of an engine folder; its presence says that the folder is complete. */
export const engineRecord = z.looseObject({
  format: z.literal('softshard-engine'),
  major: z.literal(1),
  minor: z.number(),
  tensorflow: z.string(),
  tfjs: z.string(),
  device: z.enum(['cpu', 'gpu']),
  wheel: z.string(),
  wheelSha256: z.string(),
  /** sha256 of each wheel of CUDA's libraries, by file name; in an engine for the GPU. */
  companions: z.record(z.string(), z.string()).optional(),
  bindingSha256: z.string(),
  compiler: z.string(),
  /** sha256 of the source of our own ops, where they are compiled into the binding. */
  nativeOpsSha256: z.string().optional(),
  /** Sizes in bytes by path relative to the folder. */
  files: z.record(z.string(), z.number()),
});
export type EngineRecord = z.infer<typeof engineRecord>;

/** A native engine that is ready to be loaded. */
export interface NativeEngine {
  readonly name: string;
  /** The engine's folder. */
  readonly folder: string;
  /** Node addon to `require`; it finds its libraries by itself. */
  readonly bindingPath: string;
  /** Folder of TensorFlow's shared libraries. */
  readonly libDir: string;
  /** TensorFlow's version. */
  readonly tensorflow: string;
  /** Version of @tensorflow/tfjs-node-gpu that the binding belongs to. */
  readonly tfjs: string;
  /** Version of our own ops in the binding: the first digits of their source's sha256. */
  readonly nativeOps?: string;
  /** What the wheel was built for; whether a GPU is really used only the loaded backend knows. */
  readonly device: 'cpu' | 'gpu';
}

/** Why there is no native engine, in one line. */
export interface MissingEngine {
  readonly missing: string;
}

const NOT_INSTALLED = 'no native engine is installed in';

/** Whether a search found an engine. */
export const isFound = (result: NativeEngine | MissingEngine): result is NativeEngine =>
  'bindingPath' in result;

/** The folder name of an engine: everything its bits depend on. */
export const engineName = (wheel: Wheel, source: BindingSource): string =>
  `native-${wheel.device}-tf${wheel.tensorflow}-tfjs${source.version}-napi${NAPI_VERSION}-${source.sha256.slice(0, 8)}-${nativeOpsSource().sha256.slice(0, 8)}`;

/** Reads an engine folder, or says what is wrong with it. Checks presence and sizes, not contents. */
export const readEngine = (home: string, name: string): NativeEngine | MissingEngine => {
  const folder = join(enginesFolder(home), name);
  const recordPath = join(folder, 'engine.json');
  if (!existsSync(recordPath)) return { missing: `${NOT_INSTALLED} ${home}` };
  let record: EngineRecord;
  try {
    record = engineRecord.parse(JSON.parse(readFileSync(recordPath, 'utf8')));
  } catch {
    return { missing: `${recordPath} is not readable; remove that engine and install it again` };
  }
  for (const [file, bytes] of Object.entries(record.files)) {
    if (statSync(join(folder, file), { throwIfNoEntry: false })?.size !== bytes)
      return { missing: `${join(folder, file)} is damaged; remove that engine and install it again` };
  }
  return {
    name,
    folder,
    bindingPath: join(folder, 'tfjs_binding.node'),
    libDir: join(folder, 'lib'),
    tensorflow: record.tensorflow,
    tfjs: record.tfjs,
    device: record.device,
    ...(record.nativeOpsSha256 === undefined ? {} : { nativeOps: record.nativeOpsSha256.slice(0, 8) }),
  };
};

/**
 * Finds the native engine that fits this package and machine: the one for the GPU where a GPU can be used, else the
 * one for the CPU; where only one of them is installed, that one. Cheap and synchronous; loads nothing.
 *
 * @param home Softshard's home folder; by default from the environment.
 * @param gpu The GPU that can be used; by default what this machine has.
 */
export const findNativeEngine = (
  home: string = softshardHome(),
  gpu: GpuDevice = findGpu(),
): NativeEngine | MissingEngine => {
  const platform = `${process.platform}-${process.arch}`;
  if (wheelFor(platform) === undefined) return { missing: `no TensorFlow wheel is known for ${platform}` };
  const source = findBindingSource(home);
  if (source === undefined)
    return {
      missing:
        'the optional package @tensorflow/tfjs-node-gpu is not installed; softshard engine install fetches it',
    };
  const devices: readonly EngineDevice[] = hasGpu(gpu) ? ['gpu', 'cpu'] : ['cpu', 'gpu'];
  const engines = devices
    .map((device) => wheelFor(platform, device))
    .filter((wheel) => wheel !== undefined)
    .map((wheel) => readEngine(home, engineName(wheel, source)));
  const damaged = engines.find((engine) => !isFound(engine) && !engine.missing.startsWith(NOT_INSTALLED));
  return engines.find(isFound) ?? damaged ?? { missing: `${NOT_INSTALLED} ${home}` };
};

/** Every engine in a home with its state, whether it fits this package or not, by name. */
export const listEngines = (
  home: string = softshardHome(),
): readonly (NativeEngine | (MissingEngine & { name: string }))[] => {
  const folder = enginesFolder(home);
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort()
    .map((name) => {
      const engine = readEngine(home, name);
      return isFound(engine) ? engine : { name, ...engine };
    });
};

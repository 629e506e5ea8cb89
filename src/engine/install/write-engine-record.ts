/** Writes `engine.json`, by which an engine folder is complete, once everything in it is durable. */
import { closeSync, fsyncSync, openSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { BindingSource } from './binding-source.ts';
import { libraryLayout } from './library-layout.ts';
import type { EngineRecord } from './native-engine.ts';
import type { NativeOpsSource } from './native-ops-source.ts';
import { CUDA_FOLDER } from './unpack-wheel.ts';
import type { Wheel } from './wheels.ts';

/** Makes a file's or a folder's content durable. */
export const syncPath = (path: string): void => {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
};

export interface EngineContent {
  readonly wheel: Wheel;
  readonly source: BindingSource;
  readonly compiler: string;
  readonly nativeOps: NativeOpsSource | undefined;
  /** The engine's folder. */
  readonly folder: string;
}

/** The binding, TensorFlow's libraries and, in a GPU engine, those of CUDA: paths relative to the folder. */
const engineFiles = ({ wheel, folder }: EngineContent): string[] => [
  'tfjs_binding.node',
  ...libraryLayout(wheel.platform.split('-')[0]).libraries.map((name) => `lib/${name}`),
  ...(wheel.companions.length === 0
    ? []
    : readdirSync(join(folder, CUDA_FOLDER), { withFileTypes: true, recursive: true })
  )
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort(),
];

/** Writes the record with the size of every file. */
export const writeEngineRecord = (content: EngineContent): void => {
  const { wheel, source, compiler, folder, nativeOps } = content;
  const files = engineFiles(content);
  const record: EngineRecord = {
    format: 'softshard-engine',
    major: 1,
    minor: 0,
    tensorflow: wheel.tensorflow,
    tfjs: source.version,
    device: wheel.device,
    wheel: wheel.file,
    wheelSha256: wheel.sha256,
    ...(wheel.companions.length === 0
      ? {}
      : { companions: Object.fromEntries(wheel.companions.map(({ file, sha256 }) => [file, sha256])) }),
    bindingSha256: source.sha256,
    compiler,
    ...(nativeOps === undefined ? {} : { nativeOpsSha256: nativeOps.sha256 }),
    files: Object.fromEntries(files.map((file) => [file, statSync(join(folder, file)).size])),
  };
  writeFileSync(join(folder, 'engine.json'), `${JSON.stringify(record, null, 2)}\n`);
  for (const file of [...files, 'engine.json', '.']) syncPath(join(folder, file));
};

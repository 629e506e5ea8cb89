/** Compiles the N-API binding against TensorFlow's libraries. Takes about ten seconds; needs no node-gyp. */
import { createRequire } from 'node:module';
import { symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { BindingSource } from './binding-source.ts';
import { libraryLayout } from './library-layout.ts';
import { NAPI_VERSION } from './native-engine.ts';
import type { NativeOpsSource } from './native-ops-source.ts';
import { cannotInstall } from './requirements.ts';
import { lastLines, runCommand } from './run-command.ts';

/** Folder of the Node-API headers (npm package node-api-headers). */
const nodeHeaders = (): string =>
  join(dirname(createRequire(import.meta.url).resolve('node-api-headers/package.json')), 'include');

export interface CompileOptions {
  readonly compiler: string;
  readonly source: BindingSource;
  /** Our own ops, to be linked into the binding; undefined leaves them out. */
  readonly nativeOps?: NativeOpsSource | undefined;
  /** Engine folder with `lib/` and `include/`; `tfjs_binding.node` is written into it. */
  readonly folder: string;
  readonly log: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
}

/** The compiler's arguments on a platform (`process.platform`). */
export const compilerArguments = (
  { source, folder, nativeOps }: Pick<CompileOptions, 'source' | 'folder' | 'nativeOps'>,
  platform: string = process.platform,
): string[] => {
  const lib = join(folder, 'lib');
  const args = ['-O3', '-fPIC', '-std=c++17', `-DNAPI_VERSION=${NAPI_VERSION}`];
  args.push('-DNODE_GYP_MODULE_NAME=tfjs_binding');
  for (const include of [
    nodeHeaders(),
    join(folder, 'include'),
    source.folder,
    dirname(source.packageFolder),
  ])
    args.push(`-I${include}`);
  args.push(join(source.folder, 'tfjs_backend.cc'), join(source.folder, 'tfjs_binding.cc'));
  // Fused multiply-adds would give other bits on other processors.
  if (nativeOps !== undefined) args.push('-ffp-contract=off', '-Wno-psabi', '-pthread', ...nativeOps.files);
  args.push('-o', join(folder, 'tfjs_binding.node'));
  args.push(`-L${lib}`, '-ltensorflow', '-ltensorflow_framework', ...libraryLayout(platform).linkFlags);
  return args;
};

/** The linker looks for names without version, and these stand for TensorFlow's own. */
export const linkLibraries = (folder: string): void => {
  for (const [name, target] of libraryLayout().links) symlinkSync(target, join(folder, 'lib', name));
};

/**
 * Writes `tfjs_binding.node`, which looks for its libraries beside itself, so that the folder can be moved. Needs
 * `linkLibraries` first.
 *
 * @throws E_ENGINE_INSTALL when the compiler fails.
 */
export const compileBinding = async (options: CompileOptions): Promise<void> => {
  const { code, output } = await runCommand(options.compiler, compilerArguments(options), {
    log: options.log,
    environment: options.environment,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  options.signal?.throwIfAborted();
  if (code !== 0)
    throw cannotInstall(
      'The binding to TensorFlow does not compile.',
      'A compiler with C++17 is needed (g++ 8 or newer).',
      lastLines(output),
    );
};

/**
 * The one place that knows how a script of this package is started: in a source tree through the pinned loader,
 * in an installed package as compiled JavaScript.
 */
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Whether this process runs the TypeScript sources (a clone) rather than `dist` (an installed package). */
export const runsFromSource: boolean = import.meta.url.endsWith('.ts');

/** The package's root folder: the one that holds `package.json`. */
export const packageRoot: string = resolve(
  fileURLToPath(new URL('.', import.meta.url)),
  runsFromSource ? '../..' : '../../..',
);

/** The pinned loader for TypeScript. Absolute, since Node resolves a bare `--import tsx` from the working folder. */
const loader = (): readonly string[] => [
  '--import',
  pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href,
];

const sourceArguments = (): readonly string[] => ['--conditions=softshard-source', ...loader()];

/** Arguments for `process.execPath` that run one script. */
export interface ScriptCommand {
  /** Absolute path of the script. */
  readonly file: string;
  /** Options of node, to stand before `file`. */
  readonly nodeArguments: readonly string[];
}

/** Absolute path of a module of this package, named from the root without extension (`stages/teach`). */
export const modulePath = (name: string): string =>
  runsFromSource ? join(packageRoot, `${name}.ts`) : join(packageRoot, 'dist', `${name}.js`);

/** How to start a script of this package, named from the root without extension (`stages/teach`). */
export const scriptCommand = (name: string): ScriptCommand => ({
  file: modulePath(name),
  nodeArguments: runsFromSource ? sourceArguments() : [],
});

/** How to start a script outside the package, or one named by its file: TypeScript goes through the loader. */
export const fileCommand = (file: string): ScriptCommand => ({
  file: resolve(file),
  nodeArguments: runsFromSource ? sourceArguments() : file.endsWith('.ts') ? loader() : [],
});

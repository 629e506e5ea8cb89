/** Fetches @tensorflow/tfjs-node-gpu through the user's npm, where the optional dependency is missing. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { reasonOf, SoftshardError } from '../../errors.ts';
import {
  KERNEL_DEPENDENCIES,
  KERNEL_PACKAGE,
  kernelFolder,
  packageIn,
  type PinnedPackage,
} from './kernel-package.ts';
import { SHARED_MODULE_KEY } from './load-kernels.ts';
import { cannotInstall, findOnPath } from './requirements.ts';
import { freshTemporary } from './temporary-folder.ts';
import { lastLines, runCommand } from './run-command.ts';

export interface FetchKernelsOptions {
  readonly home: string;
  /** Tarballs that are already on this machine, recognised by their digest; npm is not asked for these. */
  readonly files?: readonly string[];
  /** Forbids the download. */
  readonly offline?: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: string;
  readonly onMessage: (line: string) => void;
  readonly signal?: AbortSignal;
}

const PACKAGES = [KERNEL_PACKAGE, ...KERNEL_DEPENDENCIES];

const specifier = ({ name, version }: PinnedPackage): string => `${name}@${version}`;

const FETCH_BY_HAND = `On a machine with a network: npm pack ${PACKAGES.map(specifier).join(' ')}; then pass each file with --kernels FILE.`;

const integrityOf = (file: string): string => {
  try {
    return `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;
  } catch (cause) {
    throw new SoftshardError('E_FILE', {
      message: 'The package file cannot be read.',
      where: file,
      found: reasonOf(cause),
      remedy: 'Check the path given with --kernels.',
      cause,
    });
  }
};

/** The given files by the package they are. Throws E_ENGINE_INSTALL for a file that is none of them. */
const recognise = (files: readonly string[]): Map<string, string> =>
  new Map(
    files.map((file) => {
      const integrity = integrityOf(file);
      const found = PACKAGES.find((pinned) => pinned.integrity === integrity);
      if (found === undefined)
        throw cannotInstall(
          `${file} is none of the packages that this version was made for (${PACKAGES.map(specifier).join(', ')}).`,
          FETCH_BY_HAND,
          integrity,
        );
      return [found.name, file];
    }),
  );

/** Has npm (its registry, proxies and cache apply) write the tarball into `folder`, and checks its digest. */
const download = async (
  pinned: PinnedPackage,
  folder: string,
  options: FetchKernelsOptions,
): Promise<string> => {
  const { environment, log, signal } = options;
  const npm = findOnPath('npm', environment);
  if (npm === undefined)
    throw cannotInstall(
      `There is no npm, which fetches ${specifier(pinned)}.`,
      `Put Node’s npm on the PATH, or use --engine wasm. ${FETCH_BY_HAND}`,
    );
  mkdirSync(folder, { recursive: true });
  const args = ['pack', specifier(pinned), '--ignore-scripts', '--loglevel', 'error'];
  const { code, output } = await runCommand(npm, [...args, '--pack-destination', folder], {
    ...{ log, environment },
    ...(signal === undefined ? {} : { signal }),
  });
  signal?.throwIfAborted();
  const [name] = readdirSync(folder).filter((entry) => entry.endsWith('.tgz'));
  if (code !== 0 || name === undefined)
    throw cannotInstall(
      `npm could not fetch ${specifier(pinned)}.`,
      `Check the network and npm’s configuration. ${FETCH_BY_HAND}`,
      lastLines(output, 2),
    );
  const file = join(folder, name);
  const integrity = integrityOf(file);
  if (integrity !== pinned.integrity)
    throw new SoftshardError('E_ENGINE_INSTALL', {
      message: `What npm fetched is not the ${specifier(pinned)} that this version was made for.`,
      expected: pinned.integrity,
      found: integrity,
      remedy: 'Check npm’s registry (npm config get registry), or use --engine wasm.',
    });
  return file;
};

const unpack = async (file: string, folder: string, options: FetchKernelsOptions): Promise<void> => {
  mkdirSync(folder, { recursive: true });
  const { code, output } = await runCommand('tar', ['-xzf', file, '-C', folder, '--strip-components=1'], {
    ...{ log: options.log, environment: options.environment },
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  options.signal?.throwIfAborted();
  if (code !== 0) throw cannotInstall(`tar could not unpack ${file}.`, 'Install tar.', lastLines(output, 2));
};

/** A package that hands on the module of this process, so that there is one TensorFlow.js. */
const writeBridge = (folder: string, name: string): void => {
  const place = packageIn(folder, name);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'package.json'), `${JSON.stringify({ name, main: 'index.js' })}\n`);
  writeFileSync(
    join(place, 'index.js'),
    `module.exports = globalThis[Symbol.for(${JSON.stringify(SHARED_MODULE_KEY + name)})];\n`,
  );
};

/**
 * Puts the pinned kernel package and what it needs into `home`; where it is already, nothing is done. To be called
 * under the installation's lock.
 *
 * @throws E_ENGINE_INSTALL with one clear line for whatever is missing or is not what was pinned; E_FILE.
 */
export const fetchKernels = async (options: FetchKernelsOptions): Promise<void> => {
  const folder = kernelFolder(options.home);
  if (existsSync(folder)) return;
  const given = recognise(options.files ?? []);
  const missing = PACKAGES.filter(({ name }) => !given.has(name));
  if (missing.length > 0 && options.offline === true)
    throw cannotInstall(
      `The optional package ${specifier(KERNEL_PACKAGE)} is not installed, and SOFTSHARD_OFFLINE forbids the download.`,
      `Unset SOFTSHARD_OFFLINE, or use --engine wasm. ${FETCH_BY_HAND}`,
    );
  const place = dirname(folder);
  mkdirSync(place, { recursive: true });
  const temporary = freshTemporary(place);
  const made = join(temporary, 'made');
  mkdirSync(made, { recursive: true });
  try {
    if (missing.length > 0)
      options.onMessage(`fetching ${missing.map(specifier).join(' and ')} with npm (0.3 MB) to ${folder}`);
    for (const [i, pinned] of PACKAGES.entries()) {
      const file = given.get(pinned.name) ?? (await download(pinned, join(temporary, String(i)), options));
      await unpack(file, packageIn(made, pinned.name), options);
    }
    for (const name of ['@tensorflow/tfjs', '@tensorflow/tfjs-core']) writeBridge(made, name);
    renameSync(made, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
};

/**
 * The npm package @tensorflow/tfjs-node-gpu, whose kernels the native engine runs. It is an optional dependency: where
 * its own install script fails, npm drops it, and Softshard keeps a copy of its own in its home folder.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** One pinned tarball of the npm registry. */
export interface PinnedPackage {
  readonly name: string;
  readonly version: string;
  /** Subresource integrity of the tarball, as lock files state it. */
  readonly integrity: string;
}

/** The package with the kernels. */
export const KERNEL_PACKAGE: PinnedPackage = {
  name: '@tensorflow/tfjs-node-gpu',
  version: '4.22.0',
  integrity:
    'sha512-p//NN6DGiN4hInUmIkRffaFVMcdTREUMjPyjW04J7OXvB2zBlQimj61eFKSgRrH3f5TnOfKzb0n56he/B6a4bw==',
};

/** What the kernels need at run time besides TensorFlow.js, which must be the one copy of this process. */
export const KERNEL_DEPENDENCIES: readonly PinnedPackage[] = [
  {
    name: 'google-protobuf',
    version: '3.21.4',
    integrity:
      'sha512-MnG7N936zcKTco4Jd2PX2U96Kf9PxygAPKBug+74LHzmHXmceN16MmRcdgZv+DGef/S9YvQAfRsNCn4cjf9yyQ==',
  },
];

/** Folder in a home that stands for the missing part of node_modules; it appears complete or not at all. */
export const kernelFolder = (home: string): string =>
  join(home, 'kernels', `tfjs-node-gpu-${KERNEL_PACKAGE.version}`);

/** Where a package lies below a folder of packages. */
export const packageIn = (folder: string, name: string): string => join(folder, 'node_modules', name);

/** The package's folder: the one npm installed, else the one in `home`, else undefined. */
export const findKernelPackage = (home: string, from: string = import.meta.url): string | undefined => {
  const require = createRequire(from);
  try {
    const manifest = require.resolve(`${KERNEL_PACKAGE.name}/package.json`);
    const { version } = require(manifest) as { readonly version?: unknown };
    // Another version may stand in the user's project.
    if (version === KERNEL_PACKAGE.version) return dirname(manifest);
  } catch {
    // npm dropped it, or was told to.
  }
  const own = packageIn(kernelFolder(home), KERNEL_PACKAGE.name);
  return existsSync(join(own, 'package.json')) ? own : undefined;
};

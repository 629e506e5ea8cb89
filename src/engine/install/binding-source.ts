/** The C++ source of the N-API binding, which the npm package @tensorflow/tfjs-node-gpu carries. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { softshardHome } from './home.ts';
import { findKernelPackage } from './kernel-package.ts';

/** The package's place, version and the digest of its binding's source. */
export interface BindingSource {
  /** Root of the package. */
  readonly packageFolder: string;
  /** Folder with the C++ files. */
  readonly folder: string;
  /** Version of the package (equals that of tfjs). */
  readonly version: string;
  /** sha256 over names and contents of the C++ files, lower-case hex. */
  readonly sha256: string;
}

const packageJson = z.object({ version: z.string() });

/**
 * Finds the binding's source: in the package that npm installed, else in the copy that an installation keeps in
 * `home`. Undefined where there is neither.
 */
export const findBindingSource = (home: string = softshardHome()): BindingSource | undefined => {
  const packageFolder = findKernelPackage(home);
  if (packageFolder === undefined) return undefined;
  const folder = join(packageFolder, 'binding');
  if (!existsSync(folder)) return undefined;
  const hash = createHash('sha256');
  for (const name of readdirSync(folder).sort()) {
    if (!/\.(cc|h)$/.test(name)) continue;
    const content = readFileSync(join(folder, name));
    hash.update(`${name}\0${content.length}\0`).update(content);
  }
  const { version } = packageJson.parse(
    JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')),
  );
  return { packageFolder, folder, version, sha256: hash.digest('hex') };
};

/** Files that come with the package. */
import { join } from 'node:path';
import { packageRoot } from '../flow/script-path.ts';

/** Absolute path of a file of the package, named from its root (`pipelines/shapes-student.yaml`). */
export const shippedFile = (name: string): string => join(packageRoot, name);

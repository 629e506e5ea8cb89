/** Where steps keep what they found about images. */
import { join } from 'node:path';
import type { ImageCheckStore } from '../data/image-checks.ts';
import { softshardHome } from '../engine/install/home.ts';

/** The folder `data` of Softshard's home, and the machine's clock. */
export const imageCheckStore = (): ImageCheckStore => ({
  folder: join(softshardHome(), 'data'),
  now: () => Date.now(),
});

import { readdir } from 'node:fs/promises';

/** Names in a folder, in no order; none where it cannot be read. */
export const namesIn = (folder: string): Promise<readonly string[]> => readdir(folder).catch(() => []);

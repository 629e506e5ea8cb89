/** What a verification has found so far. */
import { isSoftshardError, reasonOf, type ErrorCode } from '../errors.ts';
import { sha256Hex } from './document.ts';
import { SEAL_NAME } from './formats.ts';
import type { Store } from './store.ts';

/** One thing that is wrong with a cache. */
export interface CacheProblem {
  /** Name of the file in the cache. */
  readonly file: string;
  readonly code: ErrorCode;
  /** What is wrong with it, in one sentence or a few lines. */
  readonly what: string;
}

/** Collects problems and counts what was read. */
export class Findings {
  readonly problems: CacheProblem[] = [];
  files = 0;
  bytes = 0;

  add(file: string, what: string, code: ErrorCode = 'E_CACHE_CORRUPT'): void {
    this.problems.push({ file, code, what });
  }

  /** Runs a check; what it throws about the cache becomes a problem of `file`, other errors go on. */
  async attempt<T>(file: string, work: () => Promise<T> | T): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!isSoftshardError(error) || error.code === 'E_ABORTED') throw error;
      this.add(file, reasonOf(error), error.code);
      return undefined;
    }
  }

  /** The file's bytes when it is there and `sha256` (if known) is its digest. */
  async load(store: Store, name: string, sha256?: string): Promise<Uint8Array | undefined> {
    const content = await this.attempt(name, async () => store.get(name));
    if (content === undefined) {
      this.add(name, 'The file is missing.', name === SEAL_NAME ? 'E_CACHE_INCOMPLETE' : 'E_CACHE_CORRUPT');
      return undefined;
    }
    this.files++;
    this.bytes += content.byteLength;
    const found = sha256Hex(content);
    if (sha256 === undefined || sha256 === found) return content;
    this.add(name, `Its sha256 is ${found}, and ${sha256} was written.`);
    return undefined;
  }
}

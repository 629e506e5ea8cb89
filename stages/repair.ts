/**
 * Repairs a damaged cache in its place, to the byte.
 *
 *     softshard repair cache/yolov5n
 *     softshard repair cache/yolov5n --weights yolov5n.pt --data coco128.yaml
 *
 * Only what is damaged is recomputed, and the teacher is needed only where answers are lost.
 */
import { mkdir, readFile, rename } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { findDamage } from '../src/cache/damage.ts';
import { sha256Hex } from '../src/cache/document.ts';
import { folderStore } from '../src/cache/folder-store.ts';
import { decodeManifest } from '../src/cache/manifest.ts';
import { mendManifest } from '../src/cache/mend-manifest.ts';
import { lostViews, repairCache } from '../src/cache/repair.ts';
import { decodeSeal } from '../src/cache/seal.ts';
import { lockWriter } from '../src/cache/writer-lock.ts';
import { compareProvenance } from '../src/cache/identity.ts';
import { isSoftshardError, SoftshardError } from '../src/errors.ts';
import { writeFileAtomic } from '../src/flow/atomic-file.ts';
import { chooseEngine } from '../src/flow/engine-choice.ts';
import { EVENT_FORMAT } from '../src/flow/events.ts';
import { fileError } from '../src/flow/file-error.ts';
import { defineStep, stepMain, type StepContext } from '../src/flow/step-main.ts';
import { HEAD_CODECS } from '../src/head-codec/codecs.ts';
import { engineOfCache } from '../src/teach/recorded-engine.ts';
import { recordedTeacherOptions } from '../src/teach/recorded-options.ts';
import { namedFiles, openRecordedTeacher } from '../src/teach/recorded-teacher.ts';

const optionsSchema = z.strictObject({
  cache: z.string().describe('folder of the cache').meta({ positional: true, placeholder: 'CACHE' }),
  ...recordedTeacherOptions,
  manifest: z
    .string()
    .optional()
    .describe('a copy of cache.json, for a cache whose own is lost')
    .meta({ placeholder: 'FILE' }),
});

type Options = z.output<typeof optionsSchema>;

export interface RepairResult {
  readonly cache: string;
  readonly repaired: readonly string[];
  /** Views whose answers were recomputed. */
  readonly recomputed: number;
  readonly sealed: boolean;
}

/** Makes the manifest readable: by the copy, or by its own digest. Returns whether it was written anew. */
async function repairManifest({ cache, manifest: copy }: Options, context: StepContext): Promise<boolean> {
  const store = folderStore(cache);
  const content = await store.get('cache.json');
  const sealContent = await store.get('SEAL');
  let stated: string | undefined;
  try {
    stated = sealContent && decodeSeal(sealContent).manifest;
  } catch {
    // A seal that cannot be read states nothing.
  }
  let damage: unknown;
  try {
    if (content !== undefined) {
      decodeManifest(content);
      if (copy === undefined) return false;
    }
  } catch (error) {
    damage = error;
  }
  let right: Uint8Array | undefined;
  if (copy !== undefined) {
    const bytes = await readFile(copy).catch((error: unknown) => {
      throw fileError(error, copy, 'read');
    });
    decodeManifest(bytes);
    if (stated !== undefined && sha256Hex(bytes) !== stated) {
      throw new SoftshardError('E_CACHE_IDENTITY', {
        message: 'The copy of the manifest is not that of this cache.',
        where: copy,
        expected: `sha256 ${stated} (as SEAL says)`,
        found: `sha256 ${sha256Hex(bytes)}`,
      });
    }
    right = bytes;
  } else if (content !== undefined) {
    context.info('cache.json is damaged: looking for the byte that makes its digest right');
    right = mendManifest(content, stated, context.signal);
  }
  if (right === undefined) {
    throw new SoftshardError('E_CACHE_CORRUPT', {
      message: 'The manifest is lost: nothing else says what the cache is.',
      where: join(cache, 'cache.json'),
      found: content === undefined ? 'no such file' : 'more than one damaged byte',
      remedy:
        'Make it again and hand it over: the command that made the cache with --cache OTHER --units 0, then softshard repair CACHE --manifest OTHER/cache.json.',
      cause: damage,
    });
  }
  if (content !== undefined && Buffer.compare(content, right) === 0) return false;
  await mkdir(cache, { recursive: true });
  await writeFileAtomic(join(cache, 'cache.json'), right);
  return true;
}

/** Repairs as the options say. */
export async function runRepair(options: Options, context: StepContext): Promise<RepairResult> {
  const { cache } = options;
  const store = folderStore(cache);
  if ((await store.list('')).length === 0) {
    throw new SoftshardError('E_CACHE_FORMAT', {
      message: 'There is no cache to repair.',
      where: resolve(cache),
      remedy: 'Name the folder that the step which makes the cache was given.',
    });
  }
  const lock = await lockWriter(`${cache}.local`);
  try {
    await store.sweep();
    const isMended = await repairManifest(options, context);
    const damage = await findDamage(store, {
      codecs: HEAD_CODECS,
      signal: context.signal,
      onUnit: (done, total) => context.emit({ type: 'step', done, total }),
    });
    const lost = lostViews(damage);
    context.emit({
      type: 'start',
      version: EVENT_FORMAT,
      message: `${cache}: ${damage.damaged.length} of ${damage.units.length} units are damaged, ${lost} views are lost`,
      total: damage.damaged.length,
    });
    const teacher =
      lost === 0 || (options.weights === undefined && options.data === undefined)
        ? undefined
        : await openRecordedTeacher(damage.manifest, cache, namedFiles(options), context);
    try {
      if (teacher?.difference !== undefined) {
        const { path, expected, found } = teacher.difference;
        compareProvenance({ [path]: expected ?? null }, { [path]: found ?? null });
      }
      let done = 0;
      const report = await repairCache({
        ...{ store, damage, signal: context.signal, recompute: teacher?.recompute },
        setAside: async (name) => {
          const to = join(`${cache}.local`, 'set-aside', name);
          try {
            await mkdir(dirname(to), { recursive: true });
            await rename(join(cache, name), to);
          } catch (error) {
            throw fileError(error, to, 'written');
          }
        },
        onUnit: () => context.emit({ type: 'step', done: ++done, total: damage.damaged.length }),
      });
      return {
        cache: resolve(cache),
        ...report,
        repaired: [...(isMended ? ['cache.json'] : []), ...report.repaired],
      };
    } finally {
      await teacher?.close();
    }
  } catch (error) {
    throw isSoftshardError(error, 'E_IMAGE') ? lostImage(error) : error;
  } finally {
    await lock.release();
  }
}

const lostImage = (error: SoftshardError): SoftshardError =>
  new SoftshardError('E_IMAGE', {
    ...error.detail,
    remedy: 'Restore the image that the teacher saw, then repair again.',
    cause: error,
  });

export const command = defineStep({
  name: 'repair',
  summary: 'Repairs a damaged cache to the byte: recomputes only what is lost, keeps every good file.',
  options: optionsSchema,
  environment: async (options) => chooseEngine(options, await engineOfCache(options.cache), process.env),
  run: runRepair,
  describe: ({ cache, repaired, recomputed, sealed }) =>
    [
      ...repaired.map((name) => `repaired ${name}`),
      repaired.length === 0
        ? `${cache}: nothing is damaged`
        : `${cache}: ${repaired.length} ${repaired.length === 1 ? 'file' : 'files'} repaired, ${recomputed} views recomputed${sealed ? ', sealed' : ''}`,
    ].join('\n'),
});

stepMain(import.meta.url, command);

/** The run that `train --resume` alone goes on with. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { SoftshardError } from '../errors.ts';
import { runFiles } from './run-files.ts';
import { readRunRecord, runFile } from './run-record.ts';

/** Folders of a project of runs at most this deep are looked through. */
const DEPTH = 3;

async function foldersBelow(folder: string, depth: number): Promise<readonly string[]> {
  if (depth === 0) return [];
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const below = entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
  return [...below, ...(await Promise.all(below.map((each) => foldersBelow(each, depth - 1)))).flat()];
}

/** When a run was last written to, ms; undefined where the folder holds none. */
async function lastWritten(folder: string): Promise<number | undefined> {
  for (const file of [runFiles(folder).checkpoint, runFile(folder)]) {
    const found = await stat(file).catch(() => undefined);
    if (found !== undefined) return found.mtimeMs;
  }
  return undefined;
}

/** The folder of the run below `project` that was written to last. Throws E_RUN_MISSING. */
export async function lastRun(project: string): Promise<string> {
  const folders = await foldersBelow(project, DEPTH);
  const times = await Promise.all(folders.map(lastWritten));
  let [last, at] = [undefined as string | undefined, -1];
  folders.forEach((folder, i) => {
    const time = times[i];
    if (time !== undefined && time > at) [last, at] = [folder, time];
  });
  if (last !== undefined) return last;
  throw new SoftshardError('E_RUN_MISSING', {
    message: 'There is no run to resume.',
    where: project,
    expected: 'a folder with run.json, as softshard train leaves it',
    found: `none among ${folders.length} folders`,
    remedy: 'Begin one, or name another --project.',
  });
}

/**
 * The options of `--resume` without `--data`: those of the run NAME of the project, else of the last run below it, with
 * `given` laid over them. Throws E_RUN_MISSING.
 */
export async function resumedOptions(
  given: Readonly<Record<string, unknown>>,
): Promise<Readonly<Record<string, unknown>>> {
  const project = typeof given['project'] === 'string' ? given['project'] : 'runs';
  const folder = typeof given['name'] === 'string' ? join(project, given['name']) : await lastRun(project);
  const recorded = await readRunRecord(folder);
  const options = recorded?.places['options'];
  const parsed = z.record(z.string(), z.unknown()).safeParse(options);
  if (!parsed.success) {
    throw new SoftshardError('E_RUN_MISSING', {
      message: recorded === undefined ? 'There is no run to resume.' : 'The run does not hold its options.',
      where: folder,
      expected: 'run.json, as softshard train leaves it',
      remedy: 'Repeat the command that began it.',
    });
  }
  return { ...parsed.data, ...given };
}

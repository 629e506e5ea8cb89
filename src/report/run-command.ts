/** What a run's record says of where it came from. */
import { basename, dirname } from 'node:path';
import { z } from 'zod';
import { argvOf, commandLine } from '../cli/argv-of.ts';
import type { RunRecord } from '../train/run-record.ts';
import { trainOptionsSchema } from '../train/train-options.ts';

/** A place that the record names (`data`, `cache`, ...); undefined where it names none. */
export const placeOf = (record: RunRecord, key: string): string | undefined => {
  const place = record.places[key];
  const value = Array.isArray(place) ? place.join(', ') : place;
  return typeof value === 'string' && value !== '' ? value : undefined;
};

/** The command that made the run: as recorded, else from its options (files of options are listed in the report). */
export function commandOf(record: RunRecord, folder: string): string {
  const recorded = placeOf(record, 'command');
  if (recorded !== undefined) return recorded;
  const known = Object.keys(trainOptionsSchema.shape);
  const options = z.record(z.string(), z.unknown()).catch({}).parse(record.identity['options']);
  const all: Readonly<Record<string, unknown>> = {
    ...options,
    ...record.places,
    project: dirname(folder),
    name: basename(folder),
  };
  const given = Object.entries(all).filter(([key, value]) => known.includes(key) && value !== null);
  return commandLine('train', argvOf(trainOptionsSchema, Object.fromEntries(given) as never));
}

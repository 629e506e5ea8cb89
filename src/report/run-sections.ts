/** What made a run, from its record: options, fingerprints, builds. */
import type { RunRecord } from '../train/run-record.ts';
import type { Section } from './report-input.ts';

type Entry = readonly [string, string | number];

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Nested plain data as dotted keys; lists as JSON; null and empty ones left out. */
export function flatEntries(value: unknown, prefix = ''): Entry[] {
  if (isRecord(value)) {
    return Object.entries(value).flatMap(([key, inner]) =>
      flatEntries(inner, prefix === '' ? key : `${prefix}.${key}`),
    );
  }
  if (value === null || value === undefined || value === '') return [];
  if (Array.isArray(value)) return value.length === 0 ? [] : [[prefix, JSON.stringify(value)]];
  return [[prefix, typeof value === 'number' || typeof value === 'string' ? value : JSON.stringify(value)]];
}

const GROUPS = ['options', 'hyp', 'augmentation', 'distillation'] as const;
const TITLES = {
  options: 'Options',
  hyp: 'Hyper-parameters',
  augmentation: 'Augmentation',
  distillation: 'Distillation',
} as const;

/** Sections of the report; those without entries are left out. */
export function runSections(record: Pick<RunRecord, 'identity' | 'provenance' | 'places'>): Section[] {
  const { identity, provenance, places } = record;
  const grouped = new Set<string>([...GROUPS, 'student', 'names']);
  const rest = Object.fromEntries(Object.entries(identity).filter(([key]) => !grouped.has(key)));
  const sections: Section[] = [
    { title: 'Where', entries: flatEntries(places) },
    { title: 'Fingerprints', entries: flatEntries(rest) },
    { title: 'Engine and versions', entries: flatEntries(provenance) },
    ...GROUPS.map((key) => ({ title: TITLES[key], entries: flatEntries(identity[key]) })),
  ];
  return sections.filter(({ entries }) => entries.length > 0);
}

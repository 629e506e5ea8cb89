/** What made a run, from its record: options, fingerprints, builds. */
import { parse } from 'yaml';
import { isRecord } from '../text/plain-record.ts';
import type { RunRecord } from '../train/run-record.ts';
import type { Section } from './report-input.ts';

type Entry = readonly [string, string | number];

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

/** The text of a yaml file as its keys; as it is where it is no yaml. */
function yamlEntries(text: string): Entry[] {
  try {
    return flatEntries(parse(text));
  } catch {
    return [['text', text]];
  }
}

/** What was given by file and by single settings. */
function givenSections(given: unknown): Section[] {
  if (!isRecord(given)) return [];
  const files = (['hyp', 'distill'] as const).flatMap((option) => {
    const content = given[option];
    if (!isRecord(content)) return [];
    const { file, text } = content;
    return typeof file === 'string' && typeof text === 'string'
      ? [{ title: `--${option} ${file}`, entries: yamlEntries(text) }]
      : [];
  });
  return [...files, { title: '--set', entries: flatEntries(given['set']) }];
}

/** Sections of the report; those without entries are left out. */
export function runSections(run: Pick<RunRecord, 'identity' | 'provenance' | 'places'>): Section[] {
  const { identity, provenance, places } = run;
  // The command stands at the head of the report, what was given in sections of its own.
  const where = Object.entries(places).filter(([key]) => key !== 'command' && key !== 'given');
  const grouped = new Set<string>([...GROUPS, 'student', 'names']);
  const rest = Object.fromEntries(Object.entries(identity).filter(([key]) => !grouped.has(key)));
  const sections: Section[] = [
    { title: 'Where', entries: flatEntries(Object.fromEntries(where)) },
    ...givenSections(places['given']),
    { title: 'Fingerprints', entries: flatEntries(rest) },
    { title: 'Engine and versions', entries: flatEntries(provenance) },
    ...GROUPS.map((key) => ({ title: TITLES[key], entries: flatEntries(identity[key]) })),
  ];
  return sections.filter(({ entries }) => entries.length > 0);
}

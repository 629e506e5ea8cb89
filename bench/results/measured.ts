/** The measured runs, one line of JSON each in the repository, so that a later run goes on where an earlier ended. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { comparedResultSchema } from '../../src/compare/method-run.ts';
import { writeFileAtomic } from '../../src/flow/atomic-file.ts';
import { writtenStages } from '../../src/method/method.ts';
import { readMethod } from '../../src/method/registry.ts';
import { canonicalJson } from '../../src/text/canonical-json.ts';
import type { ResultRow, ResultTable } from './tables.ts';

const measuredSchema = z.object({
  table: z.string(),
  row: z.string(),
  seed: z.int().min(0),
  /** Digest of everything that decides the result but data, teacher and engine. */
  settings: z.string(),
  engine: z.string(),
  result: comparedResultSchema.pick({
    metrics: true,
    steps: true,
    lossScale: true,
    seconds: true,
    readsTeacher: true,
  }),
});

export type Measured = z.infer<typeof measuredSchema>;

/** The digest of a row's settings; a change of table or method makes what was measured before count no longer. */
export async function settingsDigest({ set }: ResultTable, row: ResultRow): Promise<string> {
  const settings = canonicalJson({
    ...{ set, row: row.set ?? {} },
    stages: writtenStages(await readMethod(row.method)),
  });
  return createHash('sha256').update(JSON.stringify(settings)).digest('hex').slice(0, 12);
}

/** Reads the file; nothing where there is none. */
export async function readMeasured(file: string): Promise<Measured[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => measuredSchema.parse(JSON.parse(line)));
}

const key = ({ table, row, seed }: Measured): string => `${table} ${row} ${String(seed).padStart(3, '0')}`;

/** Writes the file, sorted, one run a line. */
export async function writeMeasured(file: string, measured: readonly Measured[]): Promise<void> {
  const lines = [...measured]
    .sort((a, b) => (key(a) < key(b) ? -1 : 1))
    .map((one) => `${JSON.stringify(canonicalJson(one))}\n`);
  await writeFileAtomic(file, Buffer.from(lines.join('')));
}

/** The JSON Schemas (draft 2020-12) of files, events and options, made from the zod schemas that validate them. */
import { existsSync } from 'node:fs';
import { z } from 'zod';
import { benchSchema } from '../bench/report.ts';
import { COMMANDS, loadCommand } from '../src/cli/commands.ts';
import { modulePath } from '../src/flow/script-path.ts';
import { cacheSchemas } from '../src/cache/schemas.ts';
import { EVENT_FORMAT } from '../src/flow/events.ts';
import { distillationOptionsSchema } from '../src/loss/distillation-options.ts';
import { methodSchema } from '../src/method/checked-method.ts';
import { runRecordSchema } from '../src/train/run-record.ts';

const rates = { rate: z.number().optional(), etaS: z.number().optional() };
const dataWait = z.number().min(0).max(1).optional();

const eventBodies = [
  z.object({
    type: z.literal('start'),
    version: z.object({
      format: z.literal(EVENT_FORMAT.format),
      major: z.literal(EVENT_FORMAT.major),
      minor: z.int().min(0),
    }),
    message: z.string(),
    total: z.int().optional(),
  }),
  z.object({
    type: z.literal('unit'),
    unit: z.int(),
    total: z.int(),
    views: z.int(),
    state: z.enum(['written', 'found', 'equal']),
    bytes: z.int().optional(),
    dataWait,
    ...rates,
  }),
  z.object({
    type: z.literal('step'),
    done: z.int(),
    total: z.int(),
    of: z.string().optional(),
    rateOf: z.string().optional(),
    metrics: z.record(z.string(), z.number()).optional(),
    memoryBytes: z.int().optional(),
    dataWait,
    ...rates,
  }),
  z.object({
    type: z.literal('epoch'),
    epoch: z.int(),
    total: z.int(),
    metrics: z.record(z.string(), z.number()),
    dataWait,
    ...rates,
  }),
  z.object({ type: z.enum(['info', 'warn']), message: z.string() }),
  z.object({ type: z.literal('done'), message: z.string(), result: z.unknown() }),
  z.object({
    type: z.literal('failed'),
    error: z.looseObject({ code: z.string(), message: z.string() }),
  }),
] as const;

/** One line of the event stream. Unknown fields are kept: minor versions add some. */
const eventSchema = z.union(
  eventBodies.map((body) => z.looseObject({ run: z.string(), step: z.string(), ...body.shape })),
);

const jsonOf = (schema: z.ZodType): unknown =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });

/** Every schema's text by the name of its file, without extension. */
export const jsonSchemas = async (): Promise<Readonly<Record<string, string>>> => {
  const schemas: Record<string, unknown> = {
    events: jsonOf(eventSchema),
    run: jsonOf(runRecordSchema),
    distill: jsonOf(distillationOptionsSchema),
    bench: jsonOf(benchSchema),
    method: jsonOf(methodSchema),
  };
  for (const [name, schema] of Object.entries(cacheSchemas())) schemas[`cache-${name}`] = schema;
  for (const entry of COMMANDS) {
    if (!existsSync(modulePath(entry.module))) continue;
    schemas[`options-${entry.name.replace(' ', '-')}`] = jsonOf((await loadCommand(entry)).options);
  }
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [name, `${JSON.stringify(schema, null, 2)}\n`]),
  );
};

/** What a cache is and holds, as plain data and as text. Nothing but its small files is read. */
import { manifestBytes } from './cache-reader.ts';
import { unitCount, type Extent } from './extent.ts';
import { CACHE_FORMAT, INDEX_NAME, SEAL_NAME } from './formats.ts';
import type { Identity, JsonRecord, Provenance } from './identity.ts';
import { decodeManifest } from './manifest.ts';
import { listUnits, readUnit } from './read-unit.ts';
import { decodeIndex, decodeSeal } from './seal.ts';
import { shortJson, type Json } from '../text/canonical-json.ts';
import type { Store } from './store.ts';

/** One kind of answer, over all view indices. */
export interface AnswerSummary {
  readonly kind: string;
  readonly codec: string;
  readonly blobs: readonly string[];
  /** Bytes of its shards so far. */
  readonly bytes: number;
}

export interface CacheSummary {
  readonly format: string;
  readonly major: number;
  readonly minor: number;
  readonly identity: Identity;
  readonly provenance: Provenance;
  readonly extent: Extent;
  /** What the maker measured of the answers, where it did. */
  readonly measured?: JsonRecord;
  readonly answers: readonly AnswerSummary[];
  /** Units committed and units in all; views likewise. */
  readonly units: number;
  readonly unitsTotal: number;
  readonly views: number;
  readonly viewsTotal: number;
  /** Bytes of all shards, and of one view on average. */
  readonly bytes: number;
  readonly bytesPerView: number;
  readonly sealed: boolean;
  /** The digest of the whole tree, once sealed. */
  readonly tree?: string;
}

interface Sizes {
  readonly units: number;
  readonly views: number;
  /** Bytes by `kind codec`. */
  readonly bytes: ReadonlyMap<string, number>;
}

const keyOf = (kind: string, codec: string): string => `${kind} ${codec}`;

async function sizesFromUnits(store: Store, extent: Extent): Promise<Sizes> {
  const bytes = new Map<string, number>();
  const units = await listUnits(store, extent);
  let views = 0;
  for (const unit of units) {
    const found = await readUnit(store, unit, extent, extent.answers);
    views += found?.record.samples.length ?? 0;
    for (const shard of found?.record.shards ?? []) {
      const key = keyOf(shard.kind, shard.codec);
      bytes.set(key, (bytes.get(key) ?? 0) + shard.bytes);
    }
  }
  return { units: units.length, views, bytes };
}

async function sizesFromIndex(store: Store, extent: Extent): Promise<Sizes | undefined> {
  const content = await store.get(INDEX_NAME);
  if (content === undefined) return undefined;
  const bytes = new Map<string, number>();
  for (const part of decodeIndex(content).parts) {
    const key = keyOf(part.kind, part.codec);
    bytes.set(key, (bytes.get(key) ?? 0) + part.bytes);
  }
  return { units: unitCount(extent), views: extent.samples * extent.views, bytes };
}

/** Summarises a cache, sealed or not. Throws E_CACHE_FORMAT or E_CACHE_CORRUPT when its small files are damaged. */
export async function inspectCache(store: Store): Promise<CacheSummary> {
  const manifest = decodeManifest(await manifestBytes(store));
  const { identity, provenance, extent, measured } = manifest;
  const sealContent = await store.get(SEAL_NAME);
  const seal = sealContent === undefined ? undefined : decodeSeal(sealContent);
  const sizes =
    (seal === undefined ? undefined : await sizesFromIndex(store, extent)) ??
    (await sizesFromUnits(store, extent));
  const answers = extent.answers.map(({ kind, codec, blobs }) => ({
    kind,
    codec,
    blobs,
    bytes: sizes.bytes.get(keyOf(kind, codec)) ?? 0,
  }));
  const bytes = answers.reduce((n, answer) => n + answer.bytes, 0);
  return {
    format: CACHE_FORMAT.format,
    major: manifest.major,
    minor: manifest.minor,
    identity,
    provenance,
    extent,
    ...(measured === undefined ? {} : { measured }),
    answers,
    units: sizes.units,
    unitsTotal: unitCount(extent),
    views: sizes.views,
    viewsTotal: extent.samples * extent.views,
    bytes,
    bytesPerView: sizes.views === 0 ? 0 : Math.round(bytes / sizes.views),
    sealed: seal !== undefined,
    ...(seal === undefined ? {} : { tree: seal.tree }),
  };
}

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'] as const;

/** Bytes for a person: three figures, decimal units. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 999.5 and more would be rounded to four figures.
  for (; value >= 999.5 && unit < UNITS.length - 1; unit++) value /= 1000;
  const figures = unit === 0 || value >= 999.5 ? String(Math.round(value)) : value.toPrecision(3);
  return `${figures} ${UNITS[unit] ?? 'B'}`;
}

/** Plain data as lines: one a record whose values are all simple. */
function leaves(value: Json, path = ''): [string, string][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[path, shortJson(value)]];
  const entries = Object.entries(value as JsonRecord);
  const simple = entries.every(([, field]) => typeof field !== 'object' || field === null);
  if (simple) return [[path, entries.map(([key, field]) => `${key} ${shortJson(field)}`).join(', ')]];
  return entries.flatMap(([key, field]) => leaves(field, path === '' ? key : `${path}.${key}`));
}

/** The summary as lines of text, without a line break at the end. */
export function summaryText(summary: CacheSummary): string {
  const { extent } = summary;
  const fields = (title: string, record: Identity): string[] => [
    title,
    ...Object.entries(record).map(([key, value]) => `  ${key}: ${shortJson(value)}`),
  ];
  const measured = Object.entries(summary.measured ?? {}).flatMap(([name, value]) => [
    `measured ${name}`,
    ...leaves(value).map(([path, leaf]) => `  ${path}: ${leaf}`),
  ]);
  return [
    `${summary.format} ${summary.major}.${summary.minor}, ${summary.sealed ? 'sealed' : 'not sealed'}`,
    `units: ${summary.units} of ${summary.unitsTotal} (${extent.unitViews} views each)`,
    `views: ${summary.views} of ${summary.viewsTotal} (${extent.samples} samples x ${extent.views})`,
    `bytes: ${bytesText(summary.bytes)}, ${bytesText(summary.bytesPerView)} a view`,
    ...summary.answers.map(
      ({ kind, codec, blobs, bytes }) => `  ${kind} in ${codec}: ${bytesText(bytes)} (${blobs.join(', ')})`,
    ),
    ...(summary.tree === undefined ? [] : [`tree: ${summary.tree}`]),
    ...measured,
    ...fields('identity', summary.identity),
    ...fields('provenance', summary.provenance),
  ].join('\n');
}

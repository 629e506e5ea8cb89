/** Sealing: `index.json` lists every unit and part in order, `SEAL` states the digests of everything. */
import { z } from 'zod';
import { decodeDocument, encodeDocument, sha256Hex } from './document.ts';
import { INDEX_FORMAT, INDEX_NAME, MANIFEST_NAME, SEAL_FORMAT, SEAL_NAME, unitName } from './formats.ts';
import { partFolder } from './part.ts';
import { sha256Schema, type UnitRecord } from './unit-record.ts';

const bytes = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

export const indexSchema = z.looseObject({
  /** Every unit's record: its unit, size and sha256, in order of the units. */
  units: z.array(z.looseObject({ unit: z.int().min(0), bytes, sha256: sha256Schema })),
  /** Every part: its shards' number and bytes, and the sha256 over the lines `SHA256  NAME\n` of its shards. */
  parts: z.array(
    z.looseObject({
      view: z.int().min(0),
      kind: z.string(),
      codec: z.string(),
      folder: z.string(),
      shards: z.int().min(0),
      bytes,
      sha256: sha256Schema,
    }),
  ),
});

export const sealSchema = z.looseObject({
  /** sha256 of `cache.json` and of `index.json`. */
  manifest: sha256Schema,
  index: sha256Schema,
  /** Files of the cache apart from SEAL, and their bytes. */
  files: z.int().min(0),
  bytes,
  /** sha256 over the lines `SHA256  NAME\n` of all files apart from SEAL, in byte order of their names. */
  tree: sha256Schema,
});

export type CacheIndex = z.infer<typeof indexSchema>;
export type Seal = z.infer<typeof sealSchema>;

/** A file's name, size and digest, as it enters an index or a seal. */
export interface FileDigest {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** The lines that `sha256sum` would print for these files, in byte order of their names; and their digest. */
export const treeDigest = (files: readonly FileDigest[]): string =>
  sha256Hex(
    [...files]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, sha256 }) => `${sha256}  ${name}\n`)
      .join(''),
  );

/** A committed unit's record, and the digest of the file that holds it. */
export interface CommittedUnit {
  readonly record: UnitRecord;
  readonly file: FileDigest;
}

/** Names, sizes and digests of what `content` holds. */
export const fileDigest = (name: string, content: Uint8Array): FileDigest => ({
  name,
  bytes: content.byteLength,
  sha256: sha256Hex(content),
});

/** The index of all units, given in order. */
export function makeIndex(units: readonly CommittedUnit[]): CacheIndex {
  const parts = new Map<string, { view: number; kind: string; codec: string; shards: FileDigest[] }>();
  for (const { record } of units) {
    for (const shard of record.shards) {
      const key = { view: record.view, kind: shard.kind, codec: shard.codec };
      const folder = partFolder(key);
      const part = parts.get(folder) ?? { ...key, shards: [] };
      part.shards.push(shard);
      parts.set(folder, part);
    }
  }
  return {
    units: units.map(({ record, file }) => ({
      unit: record.unit,
      bytes: file.bytes,
      sha256: file.sha256,
    })),
    parts: [...parts].map(([folder, { view, kind, codec, shards }]) => ({
      view,
      kind,
      codec,
      folder,
      shards: shards.length,
      bytes: shards.reduce((n, shard) => n + shard.bytes, 0),
      sha256: treeDigest(shards),
    })),
  };
}

/** The seal over manifest, index, unit records and shards. */
export function makeSeal(manifest: Uint8Array, index: Uint8Array, units: readonly CommittedUnit[]): Seal {
  const top = [fileDigest(MANIFEST_NAME, manifest), fileDigest(INDEX_NAME, index)];
  const files = [
    ...top,
    ...units.flatMap(({ record, file }) => [{ ...file, name: unitName(record.unit) }, ...record.shards]),
  ];
  return {
    manifest: sha256Hex(manifest),
    index: sha256Hex(index),
    files: files.length,
    bytes: files.reduce((n, file) => n + file.bytes, 0),
    tree: treeDigest(files),
  };
}

export const encodeIndex = (index: CacheIndex): Uint8Array => encodeDocument(INDEX_FORMAT, index);
export const encodeSeal = (seal: Seal): Uint8Array => encodeDocument(SEAL_FORMAT, seal);

/** Reads the index. Throws E_CACHE_FORMAT or E_CACHE_CORRUPT. */
export const decodeIndex = (content: Uint8Array): CacheIndex =>
  decodeDocument(content, INDEX_FORMAT, indexSchema, INDEX_NAME);

/** Reads the seal. Throws E_CACHE_FORMAT or E_CACHE_CORRUPT. */
export const decodeSeal = (content: Uint8Array): Seal =>
  decodeDocument(content, SEAL_FORMAT, sealSchema, SEAL_NAME);

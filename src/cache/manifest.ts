/** `cache.json`: what a cache is (identity), how it came to be (provenance), and what it holds (extent). */
import { z } from 'zod';
import { decodeDocument, encodeDocument } from './document.ts';
import { checkAnswers, extentSchema, type Extent } from './extent.ts';
import { CACHE_FORMAT, MANIFEST_NAME } from './formats.ts';
import type { Identity, JsonRecord, Provenance } from './identity.ts';
import type { Json } from '../text/canonical-json.ts';

const plain: z.ZodType<Json> = z.unknown() as z.ZodType<Json>;
const plainRecord: z.ZodType<JsonRecord> = z.record(z.string(), plain);

export const manifestSchema = z.looseObject({
  format: z.literal(CACHE_FORMAT.format),
  major: z.literal(CACHE_FORMAT.major),
  minor: z.int().min(0),
  identity: plainRecord,
  provenance: plainRecord,
  extent: extentSchema,
  measured: plainRecord.optional(),
});

/** The manifest as read; unknown fields of later minor versions are kept. */
export type Manifest = z.infer<typeof manifestSchema>;

/** What a manifest is made from. */
export interface ManifestContent {
  readonly identity: Identity;
  readonly provenance: Provenance;
  readonly extent: Extent;
  /** What the maker measured of the answers before it began, such as the error of a codec. It decides nothing. */
  readonly measured?: JsonRecord | undefined;
}

/** The manifest's bytes. Throws E_CODEC on what JSON cannot carry, E_USAGE on an answer named twice. */
export function encodeManifest({ identity, provenance, extent, measured }: ManifestContent): Uint8Array {
  checkAnswers(extent.answers);
  return encodeDocument(CACHE_FORMAT, {
    ...{ identity, provenance, extent },
    ...(measured === undefined ? {} : { measured }),
  });
}

/** Reads a manifest. Throws E_CACHE_FORMAT (also for an unknown major) or E_CACHE_CORRUPT. */
export const decodeManifest = (content: Uint8Array): Manifest =>
  decodeDocument(content, CACHE_FORMAT, manifestSchema, MANIFEST_NAME);

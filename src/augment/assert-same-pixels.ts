/** Holds a replayed view to the pixels that the teacher saw. */
import { SoftshardError } from '../errors.ts';
import type { DecodedView } from '../data/view.ts';

/** What pixels depend on, by name: the image's digest, decoder versions, options. */
export type PixelProvenance = Readonly<Record<string, string>>;

export interface PixelContext {
  /** The sample's path, as records name it. */
  readonly path: string;
  /** What held when the teacher saw the view, and what holds now (`file`, `sharp`, `libvips`, `imgsz`, ...). */
  readonly recorded: PixelProvenance;
  readonly current: PixelProvenance;
}

/** The facts that differ, as `name: then -> now`. */
function differences({ recorded, current }: PixelContext): string[] {
  const names = [...new Set([...Object.keys(recorded), ...Object.keys(current)])].toSorted();
  return names
    .filter((name) => recorded[name] !== current[name])
    .map((name) => `${name}: ${recorded[name] ?? 'unknown'} -> ${current[name] ?? 'unknown'}`);
}

/**
 * Throws E_PIXELS unless the view's digest is the expected one; the error names the image, the view, and which of
 * file, decoder version and options differ from what was recorded.
 */
export function assertSamePixels(expectedDigest: string, view: DecodedView, context: PixelContext): void {
  if (view.pixelDigest === expectedDigest) return;
  const changed = differences(context);
  throw new SoftshardError('E_PIXELS', {
    message: 'The pixels of a view differ from those the teacher saw.',
    where: `${context.path}, view ${view.record.view}`,
    expected: `pixel digest ${expectedDigest}`,
    found: `pixel digest ${view.pixelDigest}; ${
      changed.length === 0
        ? 'file, decoder and options are as recorded'
        : `changed since then: ${changed.join('; ')}`
    }`,
    remedy:
      changed.length === 0
        ? 'Decoding is not reproducible between these machines: read the pixels from pixel shards, or teach again here.'
        : 'Restore what changed, or teach again into a new cache.',
  });
}

/** View records as plain data: what the cache stores beside a teacher's answers. */
import { z } from 'zod';
import { SoftshardError } from '../errors.ts';
import type { ViewRecord } from '../data/view.ts';

const count = z.int().min(0);
const side = z.int().min(1);
const number = z.number();

const placedImageSchema = z.object({
  sample: count,
  w: side,
  h: side,
  fit: z.tuple([side, side]).optional(),
  canvas: z.tuple([count, count, count, count]),
  source: z.tuple([count, count]),
  boxScale: z.tuple([number, number]),
  boxShift: z.tuple([number, number]),
});

const compositionSchema = z.object({
  kind: z.enum(['letterbox', 'mosaic4', 'mosaic9']),
  canvasWidth: side,
  canvasHeight: side,
  images: z.array(placedImageSchema).min(1),
  matrix: z.tuple([number, number, number, number, number, number, number, number, number]).optional(),
  warpScale: number,
});

/** A stored view record. Numbers are float64; JSON and msgpack both keep them to the bit. */
export const viewRecordSchema = z.object({
  sample: count,
  view: count,
  width: side,
  height: side,
  composition: compositionSchema,
  mixup: z.object({ lambda: z.number().min(0).max(1), composition: compositionSchema }).optional(),
  hsv: z.tuple([number, number, number]).optional(),
  flipVertical: z.boolean(),
  flipHorizontal: z.boolean(),
});

type Stored = z.infer<typeof viewRecordSchema>;

/** Rectangles inside canvas and source: a record that would read or write outside is refused. */
function liesInside(
  { canvasWidth, canvasHeight, images, matrix }: Stored['composition'],
  record: Stored,
): boolean {
  const unwarped = canvasWidth === record.width && canvasHeight === record.height;
  return (
    (matrix !== undefined || unwarped) &&
    images.every(({ w, h, fit = [w, h], canvas: [x1, y1, x2, y2], source: [x, y] }) => {
      const onCanvas = x1 <= x2 && y1 <= y2 && x2 <= canvasWidth && y2 <= canvasHeight;
      return onCanvas && x + x2 - x1 <= fit[0] && y + y2 - y1 <= fit[1];
    })
  );
}

/** The record as plain JSON-able data without undefined members; key order is fixed. */
export const encodeView = (record: ViewRecord): unknown => viewRecordSchema.parse(record);

const refused = (reason: string, where: string): SoftshardError =>
  new SoftshardError('E_CACHE_FORMAT', {
    message: 'A stored view record is malformed.',
    where,
    found: reason,
    expected: 'the fields of a view record',
  });

/** Reads what `encodeView` wrote. Throws E_CACHE_FORMAT on anything else; `where` names the place in the error. */
export function decodeView(data: unknown, where = 'view record'): ViewRecord {
  const result = viewRecordSchema.safeParse(data);
  if (!result.success) throw refused(z.prettifyError(result.error), where);
  const stored = result.data;
  const compositions = [
    stored.composition,
    ...(stored.mixup === undefined ? [] : [stored.mixup.composition]),
  ];
  if (!compositions.every((composition) => liesInside(composition, stored))) {
    throw refused('a rectangle outside its canvas or source', where);
  }
  return stored as ViewRecord;
}

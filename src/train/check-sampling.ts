/** Which ways of choosing and sizing views go together. */
import { checkCloseMosaic } from '../augment/close-mosaic.ts';
import { SoftshardError } from '../errors.ts';
import type { PreparedRun } from './prepare-run.ts';

const refused = (where: string, message: string, found: string, remedy: string): SoftshardError =>
  new SoftshardError('E_OPTION_CONFLICT', { where, message, found, remedy });

/**
 * Throws E_OPTION_CONFLICT on `--multi-scale` with a teacher, on `--rect` with a teacher or another order, on `--image-weights` with unlabelled images or
 * `--labelled-share`, on a `--close-mosaic` that is not the cache's or leaves no view with mosaic. Returns the number
 * of last epochs without mosaic.
 */
export function checkSampling({
  options,
  cache,
  dataset,
}: Pick<PreparedRun, 'options' | 'cache' | 'dataset'>): number {
  const { multiScale, imageWeights, labelledShare, closeMosaic, views, epochs } = options;
  if (multiScale && cache !== undefined) {
    throw refused(
      '--multi-scale',
      'A teacher answers views of one size: its answers are grids of that size, which fit no other.',
      `--multi-scale and a teacher of ${cache.teacher.imageSize} pixels`,
      'Leave --multi-scale out, or train on labels alone.',
    );
  }
  if (options.rect) {
    const { stepsPerEpoch } = options;
    const clash = [
      ...(cache === undefined ? [] : ['a teacher, whose answers are to square views']),
      ...(imageWeights ? ['--image-weights'] : []),
      ...(labelledShare === undefined ? [] : ['--labelled-share']),
      ...(stepsPerEpoch > 0 ? ['--steps-per-epoch'] : []),
    ];
    if (clash.length > 0) {
      throw refused(
        '--rect',
        'Rectangular batches are fixed groups of images, each seen once an epoch, each with a shape of its own.',
        `--rect and ${clash.join(', ')}`,
        'Leave --rect out, or the other.',
      );
    }
  }
  const unlabelled = dataset.samples.filter(({ labels }) => labels === undefined).length;
  if (imageWeights && (unlabelled > 0 || labelledShare !== undefined)) {
    throw refused(
      '--image-weights',
      'Image weights count labelled boxes, so that an unlabelled image would never be drawn.',
      unlabelled > 0 ? `${unlabelled} unlabelled images` : '--labelled-share',
      'Leave --image-weights out, or train on labelled images alone.',
    );
  }
  const closed = closeMosaic ?? cache?.teacher.closeMosaic ?? 0;
  if (cache !== undefined && closed !== cache.teacher.closeMosaic) {
    throw refused(
      '--close-mosaic',
      `The last ${cache.teacher.closeMosaic} views of the cache are without mosaic.`,
      String(closed),
      'Leave --close-mosaic out, or teach with it into another cache.',
    );
  }
  const count = cache?.teacher.views ?? views;
  if (count > 0 || imageWeights) checkCloseMosaic(count > 0 ? count : epochs, closed);
  return closed;
}

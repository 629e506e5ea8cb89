/** Which split a folder or file is named after. */
import type { SourceSplit } from './dataset-description.ts';

/** Names taken as a split; a year may follow, as in train2017. */
const SPLIT_NAMES: readonly (readonly [SourceSplit, RegExp])[] = [
  ['train', /^train(?:ing)?(?:\d{4})?$/i],
  ['val', /^val(?:id|idation)?(?:\d{4})?$/i],
  ['test', /^test(?:\d{4})?$/i],
  ['unlabelled', /^unlabell?ed(?:\d{4})?$/i],
];

/** train, val (valid, validation), test or unlabelled; undefined for another name. */
export const splitOf = (name: string): SourceSplit | undefined =>
  SPLIT_NAMES.find(([, pattern]) => pattern.test(name))?.[0];

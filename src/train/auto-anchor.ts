/** Anchors of the student: checked against the labels, and found anew where that is asked for. */
import type { Sample } from '../data/sample.ts';
import { SoftshardError } from '../errors.ts';
import type { ModelYaml } from '../model/model-yaml.ts';
import { anchorFit, boxSizes, type AnchorFit, type BoxSize } from './anchor-fit.ts';
import { searchAnchors } from './anchor-search.ts';

/** Above this best possible recall anchors are good enough. */
const ENOUGH = 0.98;

export interface AutoAnchorOptions {
  readonly samples: readonly Pick<Sample, 'width' | 'height' | 'labels'>[];
  readonly imageSize: number;
  /** Largest ratio of box to anchor side for a match. */
  readonly threshold: number;
  readonly seed: number;
  /** Find better anchors where these are not good enough; else it is said. */
  readonly search: boolean;
  /** Anchors a level that are to be found, whatever the present ones; undefined for as many as there are. */
  readonly perLevel: number | undefined;
  /** Whether a teacher answers in terms of the present anchors. */
  readonly hasTeacher: boolean;
}

const pairs = (values: readonly number[]): readonly BoxSize[] =>
  Array.from({ length: values.length / 2 }, (_, i) => [values[2 * i] ?? 1, values[2 * i + 1] ?? 1] as const);

const text = ({ bpr, aat }: AnchorFit): string =>
  `${(100 * bpr).toFixed(1)} % of the boxes match an anchor, ${aat.toFixed(2)} each`;

/**
 * The description with anchors that fit the labels: as it is where at least 98 % of the boxes match one, or no search
 * is asked for, or the search finds nothing better; else with new ones, the smallest on the first level and so on.
 * Throws E_OPTION_CONFLICT when new anchors would part the student from its teacher, whose raw answers are relative to
 * the anchors that both have.
 */
export function autoAnchor(
  yaml: ModelYaml,
  options: AutoAnchorOptions,
  context: { info(message: string): void; warn(message: string): void },
): ModelYaml {
  const { samples, imageSize, threshold, seed, search, perLevel, hasTeacher } = options;
  const sizes = boxSizes(samples, imageSize, seed);
  if (sizes.length === 0) return yaml;
  const anyNumber = search && perLevel !== undefined;
  const before = anchorFit(sizes, yaml.anchors.flatMap(pairs), threshold);
  if (before.bpr > ENOUGH && !anyNumber) {
    if (search) context.info(`anchors stay: ${text(before)}`);
    return yaml;
  }
  if (!search) {
    const advice = hasTeacher ? '' : '; --auto-anchor finds others';
    context.warn(`the anchors fit the labels badly: ${text(before)}${advice}`);
    return yaml;
  }
  if (hasTeacher) {
    throw new SoftshardError('E_OPTION_CONFLICT', {
      message:
        'New anchors would part the student from its teacher: raw boxes are relative to the anchors that both have.',
      where: '--auto-anchor',
      expected: 'the anchors of the teacher',
      found: anyNumber ? 'hyp.anchors' : text(before),
      remedy: 'Leave --auto-anchor out, or train the teacher with new anchors first.',
    });
  }
  const levels = yaml.anchors.length;
  const each = perLevel ?? (yaml.anchors[0]?.length ?? 0) / 2;
  const found = searchAnchors(sizes, { count: levels * each, imageSize, threshold, seed });
  const after = anchorFit(sizes, found, threshold);
  if (after.bpr <= before.bpr && !anyNumber) {
    context.info(`anchors stay, the search found none better: ${text(before)}`);
    return yaml;
  }
  const anchors = Array.from({ length: levels }, (_, l) => found.slice(l * each, (l + 1) * each).flat());
  context.info(`new anchors: ${text(after)} (before: ${text(before)})`);
  return { ...yaml, anchors };
}

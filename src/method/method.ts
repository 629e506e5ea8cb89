/** A distillation method by name: what is trained in which stages, and what the cache must hold for it. */
import type { DistillationOptions } from '../loss/distillation-options.ts';
import type { UpdateRuleName } from '../optim/update-rule.ts';

/** One training of a method. */
export interface MethodStage {
  /** Of the epochs, 0...1. */
  readonly share: number;
  /** As it was written: what `--set distill` repeats. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The same, checked and with its defaults. */
  readonly distill: DistillationOptions;
  readonly hyp: Readonly<Record<string, unknown>>;
  readonly optimizer?: UpdateRuleName | undefined;
  readonly warmupIterations?: number | undefined;
  readonly needs: MethodNeeds;
}

export interface Method {
  readonly name: string;
  readonly summary: string;
  readonly stages: readonly MethodStage[];
}

/** What a cache must hold for a method. */
export interface MethodNeeds {
  /** Whether the teacher is asked at all; a method without is trained on labels. */
  readonly teacher: boolean;
  readonly heads: boolean;
  /** Teacher layers, ascending. */
  readonly hints: readonly number[];
}

/** What one cache must hold for all of these methods. */
export function methodNeeds(methods: readonly Pick<Method, 'stages'>[]): MethodNeeds {
  const needs = methods.flatMap(({ stages }) => stages.map((stage) => stage.needs));
  return {
    teacher: needs.some(({ teacher }) => teacher),
    heads: needs.some(({ heads }) => heads),
    hints: [...new Set(needs.flatMap(({ hints }) => hints))].sort((a, b) => a - b),
  };
}

/** A method's stages as they were written: plain data that decides what is trained. */
export const writtenStages = ({
  stages,
}: Pick<Method, 'stages'>): readonly Readonly<Record<string, unknown>>[] =>
  stages.map(({ share, settings, hyp, optimizer, warmupIterations }) => ({
    ...{ share, settings, hyp, optimizer, warmupIterations },
  }));

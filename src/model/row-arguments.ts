/** A row of a model description as its module reads it. */
import { SoftshardError } from '../errors.ts';
import type { ActivationName } from './activation.ts';

/** What one row of a description offers to the module that it names. */
export interface RowArguments {
  /** Channels of the inputs. */
  readonly inChannels: readonly number[];
  /** Output channels after the width multiple; undefined for modules that keep theirs. */
  readonly outChannels: number;
  /** Repeats after the depth multiple. */
  readonly repeats: number;
  /** Arguments after the first (which is the output channels where `widened`). */
  readonly rest: readonly unknown[];
  readonly activation: ActivationName;
  /** Says which row this is, for errors. */
  readonly where: string;
}

/** E_MODEL_YAML about an argument that the row's module cannot use. */
export const badArgument = (row: RowArguments, what: string, found: unknown): SoftshardError =>
  new SoftshardError('E_MODEL_YAML', {
    message: 'A module of the model description has an argument that it cannot use.',
    expected: what,
    found: found === undefined ? 'nothing' : JSON.stringify(found),
    where: row.where,
  });

/** A whole number of the row, by position. Throws E_MODEL_YAML. */
export function integer(row: RowArguments, position: number, fallback: number): number;
export function integer(row: RowArguments, position: number, fallback: undefined): number | undefined;
export function integer(
  row: RowArguments,
  position: number,
  fallback: number | undefined,
): number | undefined {
  const value = row.rest[position];
  if (value === undefined || value === null || value === 'None') return fallback;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0)
    throw badArgument(row, 'a whole number', value);
  return value;
}

/** True or false of the row, by position. Throws E_MODEL_YAML. */
export function flag(row: RowArguments, position: number, fallback: boolean): boolean {
  const value = row.rest[position];
  if (value === undefined) return fallback;
  if (value === 'False') return false;
  if (value === 'True') return true;
  if (typeof value !== 'boolean') throw badArgument(row, 'true or false', value);
  return value;
}

/** The channels of a row with one input. Throws E_MODEL_YAML where there are more. */
export const single = (row: RowArguments): number => {
  const [channels, ...others] = row.inChannels;
  if (channels === undefined || others.length > 0) throw badArgument(row, 'one input', row.inChannels);
  return channels;
};

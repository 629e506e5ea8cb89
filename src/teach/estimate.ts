/** What a teaching will cost, from the views of a probe: bytes, bandwidths, time, and when caching pays. */
import { encodeIndex, makeIndex, type CommittedUnit } from '../cache/seal.ts';
import type { CodedAnswer } from '../cache/part.ts';
import { shardName } from '../cache/part.ts';
import { align } from '../cache/record.ts';
import { shardEncoder } from '../cache/shard.ts';
import { unitName } from '../cache/formats.ts';
import { encodeUnitRecord, type UnitRecord } from '../cache/unit-record.ts';
import { bytesText } from '../cache/inspect.ts';
import type { Plan } from '../data/plan.ts';

/** What was measured over the views of the probe. */
export interface Probe {
  /** Bytes of the record of each view that was probed: one list an answer. */
  readonly records: readonly (readonly number[])[];
  /** Views a second of decoding, teaching and encoding together. */
  readonly viewsPerSecond: number;
  /** Seconds that decoding one view's stored answers takes. */
  readonly decodeSeconds: number;
  /** Bytes a second that the disk takes, durably. */
  readonly diskBytesPerSecond: number;
}

export interface Estimate {
  /** Views that the teacher answered to find this out. */
  readonly probedViews: number;
  /** Bytes on the disk: of one view on average, and of the whole cache. */
  readonly bytesPerView: number;
  readonly bytes: number;
  /** Half of the 95 % interval of both, as a share: 0 where every view was probed or takes the same. */
  readonly uncertainty: number;
  /** Views a second, and seconds for all. */
  readonly viewsPerSecond: number;
  readonly seconds: number;
  /** Bytes a second that teaching writes, and that the disk takes. */
  readonly writeBytesPerSecond: number;
  readonly diskBytesPerSecond: number;
  /** Views a second of the student that is assumed, and the bytes a second that it reads. */
  readonly studentViewsPerSecond: number;
  readonly readBytesPerSecond: number;
  /** Passes over the samples, of one student or of several, from which on the cache is faster than a live teacher. */
  readonly breakEvenEpochs: number | null;
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const mean = (values: readonly number[]): number => sum(values) / Math.max(1, values.length);

/** Half of the 95 % interval of a mean over `values`, drawn from `population`, as a share of the mean. */
export function meanUncertainty(values: readonly number[], population: number): number {
  const n = values.length;
  if (n >= population) return 0;
  if (n < 2) return 1;
  const middle = mean(values);
  const variance = sum(values.map((value) => (value - middle) ** 2)) / (n - 1);
  return (1.96 * Math.sqrt((variance / n) * (1 - n / population))) / middle;
}

/** Bytes of each probed view, its answers together. */
export const probedBytes = ({ records }: Pick<Probe, 'records'>): number[] =>
  (records[0] ?? []).map((_, view) => sum(records.map((ofAnswer) => align(ofAnswer[view] ?? 0))));

/** A unit as it will be, of records as long as the probed ones in turn. */
function typicalUnit(
  plan: Plan,
  answers: readonly CodedAnswer[],
  records: Probe['records'],
  unit: number,
): CommittedUnit {
  const { view, views } = plan.units[unit] ?? { view: 0, views: [] };
  const record: UnitRecord = {
    ...{ unit, view, samples: views.map(({ sample }) => sample) },
    shards: answers.map(({ kind, codec, ...answer }, a) => {
      const lengths = records[a] ?? [];
      const { header } = shardEncoder({ kind, codec, ...answer }, unit, view, views.length);
      let end = header.byteLength;
      const table = views.map((_, i): [number, number, number] => {
        const offset = align(end);
        const length = lengths[(i + unit * views.length) % Math.max(1, lengths.length)] ?? 0;
        end = offset + length;
        return [offset, length, 0xcccccccc];
      });
      return {
        kind,
        codec,
        name: shardName({ view, kind, codec }, unit),
        bytes: end,
        sha256: '0'.repeat(64),
        records: table,
      };
    }),
  };
  const bytes = encodeUnitRecord(record).byteLength;
  return { record, file: { name: unitName(unit), bytes, sha256: '0'.repeat(64) } };
}

export interface EstimateInput {
  readonly plan: Plan;
  readonly answers: readonly CodedAnswer[];
  readonly probe: Probe;
  /** Bytes of `cache.json` and SEAL. */
  readonly fixedBytes: number;
  readonly studentViewsPerSecond: number;
}

/** Sums up a probe. */
export function estimateTeaching({
  plan,
  answers,
  probe,
  fixedBytes,
  studentViewsPerSecond,
}: EstimateInput): Estimate {
  const { records, viewsPerSecond, decodeSeconds, diskBytesPerSecond } = probe;
  const views = plan.samples * plan.views;
  const perView = probedBytes(probe);
  // Shards by the mean over the probe, small files by one typical unit of each size.
  const units = plan.units.map((_, unit) => unit);
  const typical = new Map<number, CommittedUnit>();
  for (const unit of units) {
    const size = plan.units[unit]?.views.length ?? 0;
    if (!typical.has(size)) typical.set(size, typicalUnit(plan, answers, records, unit));
  }
  const ofUnit = (unit: number): CommittedUnit | undefined =>
    typical.get(plan.units[unit]?.views.length ?? 0);
  const headers = sum(
    units.map((unit) =>
      sum((ofUnit(unit)?.record.shards ?? []).map(({ records: table }) => table[0]?.[0] ?? 0)),
    ),
  );
  const documents = sum(units.map((unit) => ofUnit(unit)?.file.bytes ?? 0));
  const [first] = typical.values();
  const index =
    first === undefined
      ? 0
      : encodeIndex(makeIndex([first])).byteLength +
        (units.length - 1) *
          `{"bytes":${first.file.bytes},"sha256":"${'0'.repeat(64)}","unit":${units.length}},`.length;
  const bytes = Math.round(mean(perView) * views + headers + documents + index + fixedBytes);
  const bytesPerView = bytes / views;
  const teachSeconds = 1 / viewsPerSecond;
  const readSeconds = decodeSeconds + bytesPerView / diskBytesPerSecond;
  return {
    probedViews: perView.length,
    ...{ bytesPerView, bytes, uncertainty: meanUncertainty(perView, views) },
    ...{ viewsPerSecond, seconds: views / viewsPerSecond },
    writeBytesPerSecond: bytesPerView * viewsPerSecond,
    ...{ diskBytesPerSecond, studentViewsPerSecond },
    readBytesPerSecond: bytesPerView * studentViewsPerSecond,
    breakEvenEpochs:
      readSeconds < teachSeconds
        ? Math.ceil((plan.views * teachSeconds) / (teachSeconds - readSeconds))
        : null,
  };
}

const durationText = (seconds: number): string => {
  if (seconds < 120) return `${seconds.toPrecision(2)} s`;
  return seconds < 7200 ? `${(seconds / 60).toPrecision(2)} min` : `${(seconds / 3600).toPrecision(3)} h`;
};

/** The estimate for a person. */
export function estimateText(estimate: Estimate): string {
  const { probedViews, bytes, bytesPerView, uncertainty, breakEvenEpochs } = estimate;
  const share = uncertainty === 0 ? '' : ` +- ${(100 * uncertainty).toPrecision(2)} %`;
  const rate = (bytesPerSecond: number): string => `${bytesText(bytesPerSecond)}/s`;
  return [
    `estimate from ${probedViews} views`,
    `  size: ${bytesText(bytesPerView)} a view, ${bytesText(bytes)} in all${share}`,
    `  teaching: ${estimate.viewsPerSecond.toPrecision(3)} views/s, ${durationText(estimate.seconds)}`,
    `  writing: ${rate(estimate.writeBytesPerSecond)} needed, the disk takes ${rate(estimate.diskBytesPerSecond)}`,
    `  reading: ${rate(estimate.readBytesPerSecond)} for a student of ${estimate.studentViewsPerSecond} views/s`,
    breakEvenEpochs === null
      ? '  a live teacher is faster than reading its answers from this disk'
      : `  faster than a live teacher from ${breakEvenEpochs} ${breakEvenEpochs === 1 ? 'epoch' : 'epochs'} on, of one student or of several together`,
  ].join('\n');
}

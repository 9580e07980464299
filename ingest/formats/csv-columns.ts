import { canonicalMeter } from "../../schemas/canonical.js";
import type { ColumnRef } from "../../schemas/formats/common.js";
import type { CsvProfile } from "../../schemas/profile.js";
import type { Unit } from "../../schemas/units.js";
import { FileRejected, type ReadSink, type Series } from "./format.js";
import { HeaderColumns } from "./header-columns.js";
import { pivotTimes, type PivotParts, type TimeColumn } from "./pivot-times.js";
import { isId } from "./read-gate.js";
import { RowFilter, unknownColumns } from "./row-filter.js";
import { intervalColumns } from "./wide-days.js";

export interface ValueColumn {
  readonly index: number;
  readonly kind: "register" | "usage";
  /** What rejects call it. */
  readonly name: string;
  readonly unitIndex: number;
  readonly unit: Unit;
}

/** A column of layout matrix. */
export interface MeterColumn extends ValueColumn {
  readonly series: Series;
}

/** Where the columns of a profile stand, 0 is the first; -1 where it names none. */
export interface CsvColumns {
  readonly meter: number;
  readonly serial: number;
  readonly channel: number;
  /** Those that the stamp is spread over, mostly one. */
  readonly time: readonly number[];
  readonly clock: number;
  readonly quality: number;
  readonly multiplier: number;
  /** long: what a row tells. */
  readonly values: readonly ValueColumn[];
  /** wide: the interval columns, and behind them those of the repeated hour. */
  readonly intervals: readonly number[];
  /** The column of the unit of `wideValues`. */
  readonly wideUnit: number;
  /** matrix: the meters' columns. */
  readonly meters: readonly MeterColumn[];
  /** pivot: the times' columns. */
  readonly times: readonly TimeColumn[];
  readonly filter: RowFilter | undefined;
  /** Values that a row has, and fields that it needs. */
  readonly valuesPerRow: number;
  readonly needed: number;
  /** Columns of the header that the profile does not speak of. */
  readonly unknown: readonly string[];
}

/** Before the header. */
export const NO_COLUMNS: CsvColumns = {
  ...{ meter: -1, serial: -1, channel: -1, time: [], clock: -1, quality: -1, multiplier: -1 },
  ...{ values: [], intervals: [], wideUnit: -1, meters: [], times: [], filter: undefined },
  ...{ valuesPerRow: 1, needed: 0, unknown: [] },
};

/**
 * Finds the columns of a profile.
 * @param header names of the columns, none where the file has no header
 * @param sink gives the series of the meters that layout matrix has in its header
 * @param reading of the times that layout pivot has in its header
 * @throws FileRejected where one is missing, stands twice, or can't be what it is to be
 */
export function columnsOf(
  profile: CsvProfile,
  header: readonly string[],
  sink: ReadSink,
  reading: Pick<PivotParts, "clock" | "read" | "now">,
): CsvColumns {
  const { columns, layout, filters, unit, registerUnit = unit, wideValues, intervalsPerDay, time } = profile;
  const found = new HeaderColumns(header);
  const find = (of: ColumnRef | undefined, what: string) => (of === undefined ? -1 : found.find(of, what));
  const places = {
    meter: find(columns.meter, "meter"),
    serial: find(columns.serial, "serial"),
    channel: find(columns.channel, "channel"),
    clock: find(columns.clock, "clock"),
    quality: find(columns.quality, "quality"),
    multiplier: find(columns.multiplier, "multiplier"),
  };
  const stamps = columns.time === undefined ? [] : found.findTime(columns.time, "time");
  const unitIndex = find(columns.unit, "unit");
  const registerUnitIndex =
    columns.registerUnit === undefined ? unitIndex : find(columns.registerUnit, "registerUnit");
  const values: ValueColumn[] = [];
  let intervals: readonly number[] = [];
  const wideUnit = layout === "long" ? -1 : wideValues === "register" ? registerUnitIndex : unitIndex;
  let first = -1;
  if (layout === "long") {
    const kinds = {
      usage: { unitIndex, unit },
      register: { unitIndex: registerUnitIndex, unit: registerUnit },
    };
    for (const kind of ["usage", "register"] as const)
      if (columns[kind] !== undefined)
        values.push({ index: find(columns[kind], kind), kind, name: kind, ...kinds[kind] });
  } else if (layout !== "pivot") {
    first = find(columns.first, "first");
    if (layout === "wide") {
      const repeated = find(columns.repeated, "repeated");
      intervals = intervalColumns(first, repeated, intervalsPerDay, time.wide === "elapsed");
    }
  }
  const filter = filters.length > 0 ? new RowFilter(filters, find) : undefined;
  const spoken = new Set([
    ...Object.values(places),
    ...stamps,
    ...intervals,
    wideUnit,
    ...(filter?.columns ?? []),
  ]);
  for (const { index, unitIndex: ofUnit } of values) spoken.add(index).add(ofUnit);
  const meters = layout === "matrix" && first >= 0 ? metersOf(profile, header, first, spoken, sink) : [];
  const times =
    layout === "pivot" ? pivotTimes({ profile, header, spoken, unitIndex: wideUnit, ...reading }) : [];
  for (const { index } of [...meters, ...times]) spoken.add(index);
  // A row may end before its quality.
  const { meter, serial, channel, clock, multiplier } = places;
  const all = [...values, ...meters, ...times].map(({ index }) => index);
  const unknown = unknownColumns(header, spoken, found.foundByName);
  found.check("the profile's columns");
  return {
    ...places,
    time: stamps,
    ...{ values, intervals, wideUnit, meters, times, filter, unknown },
    valuesPerRow: layout === "wide" ? intervals.length : all.length,
    needed:
      1 +
      Math.max(
        meter,
        serial,
        channel,
        clock,
        multiplier,
        ...stamps,
        ...intervals,
        ...all,
        ...(filter?.columns ?? []),
      ),
  };
}

/**
 * The meters that the header names from a column on. Columns without a name hold none.
 * @throws FileRejected where a name can't be a meter's, stands twice, or none is there
 */
function metersOf(
  { wideValues: kind, unit, registerUnit = unit, meterId }: CsvProfile,
  header: readonly string[],
  first: number,
  spoken: ReadonlySet<number>,
  sink: ReadSink,
): MeterColumn[] {
  const seen = new Map<string, number>();
  const meters: MeterColumn[] = [];
  for (let index = first; index < header.length; index++) {
    const id = canonicalMeter(header[index]!, meterId);
    if (id === "" || spoken.has(index)) continue;
    const name = `column ${index + 1}`;
    if (!isId(id)) throw new FileRejected("header", `The name of ${name} can't be a meter's id.`);
    const before = seen.get(id);
    if (before !== undefined)
      throw new FileRejected("header", `Columns ${before + 1} and ${index + 1} name the same meter.`);
    seen.set(id, index);
    const series = sink.series(id, "", "", kind);
    meters.push({
      index,
      kind,
      name,
      unitIndex: -1,
      unit: kind === "register" ? registerUnit : unit,
      series,
    });
  }
  if (meters.length === 0)
    throw new FileRejected("header", "The header names no meter. Mend the profile's columns.first.");
  return meters;
}

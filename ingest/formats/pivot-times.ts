import type { CsvProfile } from "../../schemas/profile.js";
import type { ValueColumn } from "./csv-columns.js";
import { FileRejected } from "./format.js";
import { stampedColumns } from "./header-columns.js";
import { stamped, type TimeOrder } from "./local-times.js";
import { timeFault, type TimeFault } from "./read-gate.js";
import type { RowClock } from "./row-clock.js";
import type { StampReader } from "./time-format.js";

/** A column of layout pivot: the values of a time. */
export interface TimeColumn extends ValueColumn {
  /** What its values are of: UTC seconds of their beginning, and their length. */
  readonly at: number;
  readonly length: number;
  /** Why it can't hold any. */
  readonly fault: TimeFault | "no-such-local-time" | undefined;
}

export interface PivotParts {
  readonly profile: CsvProfile;
  readonly header: readonly string[];
  /** Columns that hold something else. */
  readonly spoken: ReadonlySet<number>;
  /** Of a column that names the unit; -1 without one. */
  readonly unitIndex: number;
  readonly clock: RowClock;
  readonly read: StampReader;
  /** UTC seconds. */
  readonly now: number;
}

/**
 * The columns of a header whose names are stamps of `time.format`; others hold none.
 * @throws FileRejected where none is, two are of one time, or one is not on the grid of intervals
 */
export function pivotTimes({
  profile,
  header,
  spoken,
  unitIndex,
  clock,
  read,
  now,
}: PivotParts): TimeColumn[] {
  const { wideValues: kind, time } = profile;
  const unit = kind === "register" ? (profile.registerUnit ?? profile.unit) : profile.unit;
  const order: TimeOrder = { last: -1, descending: false };
  const seen = new Map<number, number>();
  const times: TimeColumn[] = [];
  for (const { index, name, stamp } of stampedColumns(header, spoken, read)) {
    const instant = clock.instantOf(stamp, order);
    if (instant === undefined) {
      times.push({ index, kind, name, unitIndex, unit, at: 0, length: 0, fault: "no-such-local-time" });
      continue;
    }
    stamped(order, instant);
    const span = clock.spanOf(instant, kind);
    if (span === undefined)
      throw new FileRejected(
        "header",
        `The time of column ${index + 1} ("${name}") is not on the grid of intervals. Mend the profile's time.snap or time.interval.`,
      );
    const { at, length } = span;
    const before = seen.get(at);
    if (before !== undefined)
      throw new FileRejected("header", `Columns ${before + 1} and ${index + 1} are of the same time.`);
    seen.set(at, index);
    // Written out: columns that were made by spreading took three times as long to read by.
    times.push({ index, kind, name, unitIndex, unit, at, length, fault: timeFault(at, now) });
  }
  if (times.length === 0)
    throw new FileRejected(
      "header",
      `No column's name is a time of the format ${time.format}. Mend the profile's time.format.`,
    );
  return times;
}

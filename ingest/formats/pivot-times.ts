import type { CsvProfile } from "../../schemas/profile.js";
import type { ValueColumn } from "./csv-columns.js";
import { FileRejected } from "./format.js";
import { passed, type RowClock, type Span, type TimeOrder } from "./row-clock.js";
import type { Stamp, StampReader } from "./time-format.js";

/** A column of layout pivot: the values of a time. */
export interface TimeColumn extends ValueColumn {
  /** What its values are of; `undefined` where the local clock has no such time: it holds none. */
  readonly span: Span | undefined;
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
}

/**
 * The columns of a header whose names are stamps of `time.format`; others hold none.
 * @throws FileRejected where none is, two are of one time, or one is not on the grid of intervals
 */
export function pivotTimes({ profile, header, spoken, unitIndex, clock, read }: PivotParts): TimeColumn[] {
  const { wideValues: kind, time } = profile;
  const unit = kind === "register" ? (profile.registerUnit ?? profile.unit) : profile.unit;
  const stamp: Stamp = { day: 0, second: 0, offset: NaN, epoch: NaN };
  const order: TimeOrder = { last: -1, descending: false };
  const seen = new Map<number, number>();
  const times: TimeColumn[] = [];
  for (const [index, text] of header.entries()) {
    const name = text.trim();
    const bytes = Buffer.from(name);
    if (spoken.has(index) || bytes.length === 0 || !read(bytes, 0, bytes.length, stamp)) continue;
    const instant = clock.instantOf(stamp, order);
    if (instant === undefined) {
      times.push({ index, kind, name, unitIndex, unit, span: undefined });
      continue;
    }
    passed(order, instant);
    const span = clock.spanOf(instant, kind);
    if (span === undefined)
      throw new FileRejected(
        "header",
        `The time of column ${index + 1} ("${name}") is not on the grid of intervals. Mend the profile's time.snap or time.interval.`,
      );
    const before = seen.get(span.at);
    if (before !== undefined)
      throw new FileRejected("header", `Columns ${before + 1} and ${index + 1} are of the same time.`);
    seen.set(span.at, index);
    // Written out: columns that were made by spreading took three times as long to read by.
    times.push({ index, kind, name, unitIndex, unit, span: { at: span.at, length: span.length } });
  }
  if (times.length === 0)
    throw new FileRejected(
      "header",
      `No column's name is a time of the format ${time.format}. Mend the profile's time.format.`,
    );
  return times;
}
